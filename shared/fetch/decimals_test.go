package fetch_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/rs/zerolog"
)

// named is a token.
type named string

func (n named) String() string { return string(n) }

func TestATokenIsDueAtOnceThenDailyAndHourlyWhenItSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d fetch.Decimals[named]
		expect := func(token named, wantDue, wantNever bool) {
			t.Helper()
			if due, never := d.Due(token); due != wantDue || never != wantNever {
				t.Errorf("%s: due %t, never asked %t", token, due, never)
			}
		}
		expect("says", true, true)
		d.Note("says", fetch.Said{Number: 6, Known: true, At: time.Now()}, 6, zerolog.Nop())
		d.Note("silent", fetch.Said{At: time.Now()}, 6, zerolog.Nop())
		expect("says", false, false)
		expect("silent", false, false)
		expect("another", true, true)
		<-time.After(time.Hour + time.Second)
		expect("says", false, false)
		expect("silent", true, false)
		<-time.After(fetch.DecimalsAge)
		expect("says", true, false)
	})
}

func TestATokenIsHeldAgainstTheDatabase(t *testing.T) {
	var log bytes.Buffer
	var d fetch.Decimals[named]
	for _, tt := range []struct {
		token    named
		said     fetch.Said
		database int
		verdict  string
		message  string
	}{
		{"right", fetch.Said{Number: 6, Known: true}, 6, "match", ""},
		{"wrong", fetch.Said{Number: 6, Known: true}, 18, "mismatch", "the token says 6 decimals, the database 18"},
		{"none", fetch.Said{Number: 0, Known: true}, 18, "mismatch", "the token says 0 decimals, the database 18"},
		{"silent", fetch.Said{}, 18, "unknown", ""},
		{"the writer's to refuse", fetch.Said{Number: 6, Known: true}, 300, "mismatch", ""},
		{"below zero", fetch.Said{Number: 6, Known: true}, -1, "mismatch", ""},
	} {
		log.Reset()
		if verdict := d.Note(tt.token, tt.said, tt.database, zerolog.New(&log)); verdict != tt.verdict || (log.Len() > 0) != (verdict == "mismatch") {
			t.Errorf("%s: %s, log %q", tt.token, verdict, log.String())
		}
		switch err := d.Contradicts(tt.token, tt.database); {
		case err == nil && tt.message != "", err != nil && err.Message != tt.message:
			t.Errorf("%s: %+v", tt.token, err)
		case err != nil && (err.Class != wire.ClassWarning || err.Code != wire.CodeDecimalsMismatch):
			t.Errorf("%s: %+v", tt.token, err)
		}
	}
	if err := d.Contradicts("never asked", 18); err != nil {
		t.Errorf("%+v", err)
	}
}

func TestDecimalsAreAWholeNumberUpTo255(t *testing.T) {
	word := func(digits string) []byte {
		data, err := hex.DecodeString(strings.Repeat("0", 64-len(digits)) + digits)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for _, tt := range []struct {
		data   []byte
		number int
		known  bool
	}{
		{word("12"), 18, true}, {word("00"), 0, true}, {word("ff"), 255, true}, {append(word("06"), word("ffff")...), 6, true},
		{word("0100"), 0, false}, {word(strings.Repeat("f", 64)), 0, false}, {nil, 0, false}, {[]byte{18}, 0, false}, {word("12")[:31], 0, false},
	} {
		if said := fetch.ReadDecimals(tt.data); said.Number != tt.number || said.Known != tt.known || said.At.IsZero() {
			t.Errorf("%x: %+v", tt.data, said)
		}
	}
}
