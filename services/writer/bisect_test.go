package writer

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/nats-io/nats.go/jetstream"
)

// An adopter's own idea of a balance, which a uint256 need not meet.
const ownCheck = `ALTER TABLE wallet_balances ADD CONSTRAINT small_balance CHECK (length(on_chain_balance_raw) < 20)`

func TestOneBadRowAmongAHundredCostsNobodyElse(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	l.exec(ownCheck)
	rows := make([]Row, 100)
	for i := range rows {
		rows[i] = l.leased("balsync:a:1")
	}
	rows[37].Raw = max256
	l.deliver(result(rows...))
	if l.fate(Applied) != 99 || l.fate(Rejected) != 1 {
		t.Errorf("%d applied and %d rejected, want 99 and 1", l.fate(Applied), l.fate(Rejected))
	}
	got := l.row(rows[37])
	l.want(got, `{"on_chain_balance_raw": null, "observed_height": null, "error_count": 1}`)
	l.want(got, free)
	if text, _ := got["last_error"].(string); !strings.HasPrefix(text, "rejected: ") || !strings.Contains(text, "small_balance") || strings.Contains(text, max256) {
		t.Errorf("last_error %q", text)
	}
	letters := l.letters()
	if len(letters) != 1 {
		t.Fatalf("%d dead letters, want 1", len(letters))
	}
	letter, err := wire.DecodeResult(letters[0].Header.Get(wire.HeaderSchema), letters[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	if len(letter.IDs) != 1 || letter.IDs[0] != rows[37].ID || letter.Raw[0] != max256 {
		t.Errorf("the dead letter is of %v", letter.IDs)
	}
	if got := letters[0].Header.Get(wire.HeaderReason); !strings.HasPrefix(got, "rejected: ") {
		t.Errorf("reason %q", got)
	}
	l.settled()
	// Halving 100 down to one takes 6 or 7 steps.
	if n := l.metric("bisections_total"); n < 6 || n > 7 {
		t.Errorf("%v bisections", n)
	}
}

func TestARejectedRowThatComesTwiceIsOneErrorAndOneLetter(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	l.exec(ownCheck)
	r := l.leased("balsync:a:1")
	r.Raw = max256
	l.send(result(r))
	lost := func(jetstream.Msg) error { return nil }
	l.app.handle(t.Context(), with(l.take(1), lost))
	first := l.row(r)
	l.app.handle(t.Context(), l.take(1))
	if second := l.row(r); second["error_count"] != first["error_count"] {
		t.Errorf("error_count rose from %v to %v", first["error_count"], second["error_count"])
	}
	if n := len(l.letters()); n != 1 {
		t.Errorf("%d dead letters, want 1", n)
	}
}

// A row that no word of ours can be written to: its neighbours are, and its lease ends by itself.
func TestARowThatCannotEvenBeToldIsLeftToItsLease(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	sealed, other := l.leased("balsync:a:1"), l.leased("balsync:a:1")
	l.exec(fmt.Sprintf(`CREATE FUNCTION seal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF NEW.id = '%s' THEN RAISE EXCEPTION 'sealed'; END IF; RETURN NEW; END $$`, sealed.ID))
	l.exec(`CREATE TRIGGER seal BEFORE UPDATE ON wallet_balances FOR EACH ROW EXECUTE FUNCTION seal()`)
	l.deliver(result(sealed, other))
	l.want(l.row(other), `{"on_chain_balance_raw": "1500000"}`)
	l.want(l.row(sealed), `{"on_chain_balance_raw": null, "locked_by": "balsync:a:1"}`)
	if l.fate(Rejected) != 1 || l.fate(Applied) != 1 || len(l.letters()) != 1 {
		t.Errorf("%d rejected, %d applied, %d letters", l.fate(Rejected), l.fate(Applied), len(l.letters()))
	}
	l.settled()
}

// The evidence is kept before the message is let go.
func TestAMessageWhoseLetterFindsNoRoomIsKept(t *testing.T) {
	t.Parallel()
	l := newLine(t, func(s *stream.Settings) { s.LetterBytes = 1 })
	l.exec(ownCheck)
	bad, worse, good := l.leased("balsync:a:1"), l.leased("balsync:a:1"), l.leased("balsync:a:1")
	bad.Raw, worse.Raw = max256, max256
	l.send(result(bad, worse, good))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	l.app.handle(ctx, l.take(1))
	l.want(l.row(good), `{"on_chain_balance_raw": "1500000"}`)
	l.want(l.row(bad), `{"error_count": 1}`)
	if l.unsettled() != 1 || l.metric("messages_total", "returned") != 1 {
		t.Errorf("%d messages unsettled, %v returned", l.unsettled(), l.metric("messages_total", "returned"))
	}
}

func TestARejectionNeverQuotesASecret(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	r := l.leased("balsync:a:1")
	l.exec(`CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF NEW.on_chain_balance_raw IS NOT NULL THEN RAISE EXCEPTION 'the key is CANARY-secret'; END IF; RETURN NEW; END $$`)
	l.exec(`CREATE TRIGGER tell BEFORE UPDATE ON wallet_balances FOR EACH ROW EXECUTE FUNCTION tell()`)
	l.deliver(result(r))
	text, _ := l.row(r)["last_error"].(string)
	if !strings.HasPrefix(text, "rejected: the key is ") || strings.Contains(text, "CANARY") {
		t.Errorf("last_error %q", text)
	}
	if reason := l.letters()[0].Header.Get(wire.HeaderReason); strings.Contains(reason, "CANARY") {
		t.Errorf("reason %q", reason)
	}
}

func TestOnlyErrorsOfDataAreARowsFault(t *testing.T) {
	for code, want := range map[string]bool{
		"22003": true, "22P02": true, "22021": true, "23514": true, "23505": true, "23502": true, "21000": true, "44000": true, "P0001": true, "54000": true, "XX001": true,
		"40001": false, "40P01": false, "55P03": false, "57014": false, "57P01": false, "57P02": false, "57P03": false, "53100": false, "53300": false,
		"08006": false, "08P01": false, "42501": false, "42703": false, "25006": false, "26000": false, "58030": false, "XX000": false, "": false,
	} {
		err := fmt.Errorf("apply: %w", &pgconn.PgError{Code: code})
		if got := IsData(err); got != want {
			t.Errorf("IsData(%s) = %t, want %t", code, got, want)
		}
	}
	if IsData(nil) || IsData(context.DeadlineExceeded) {
		t.Error("an error that is not Postgres's is a row's fault")
	}
}
