package writer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/go-cmp/cmp"
)

// What cannot be read is kept for a person, and costs its neighbours nothing.
func TestMessagesThatCannotBeReadAreDeadLetters(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	good, alsoGood := l.leased("balsync:a:1"), l.leased("balsync:a:1")
	l.send(result(good))
	l.sendRaw(wire.SchemaResults, []byte("{not json"))
	l.sendRaw("results/2", []byte(`{"claim": "of the future"}`))
	l.sendRaw("", []byte(`{}`))
	uneven := result(good)
	uneven.Raw = append(uneven.Raw, "1")
	nul := result(good)
	nul.Claim = "balsync:\x00"
	l.send(uneven, nul, result(alsoGood))
	l.app.handle(t.Context(), l.take(7))
	var reasons []string
	for _, letter := range l.letters() {
		reason, _, _ := strings.Cut(letter.Header.Get(wire.HeaderReason), ",")
		reasons = append(reasons, reason[:min(len(reason), 34)])
	}
	want := []string{"malformed message: invalid characte", `unknown schema "results/2"`, `unknown schema ""`, "malformed message: result of claim", errBadClaim.Error()[:34]}
	want[0] = want[0][:34]
	if diff := cmp.Diff(want, reasons); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
	if l.fate(Applied) != 2 || l.metric("messages_total", "dead_letter") != 5 || l.metric("messages_total", "applied") != 2 {
		t.Errorf("%d rows applied, %v dead letters", l.fate(Applied), l.metric("messages_total", "dead_letter"))
	}
	l.settled()
}

func TestAResultForAnotherChainThanItsSubjectsIsADeadLetter(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	r := l.leased("balsync:a:1")
	before := l.row(r)
	chain, family := result(r), result(r)
	chain.Chain, family.Family = "othernet", "tron"
	l.deliver(chain, family)
	if got := len(l.letters()); got != 2 {
		t.Errorf("%d dead letters, want 2", got)
	}
	if diff := cmp.Diff(before, l.row(r)); diff != "" {
		t.Errorf("the row was touched (-before +after):\n%s", diff)
	}
}

// The row's chain is the subject's, whatever the message's ids say.
func TestARowOfAnotherChainIsNotWritten(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	other := wire.Asset{ID: id(t, "a4"), Contract: "0xAbC4", Decimals: 6}
	r := l.leasedOf(other, "balsync:a:1")
	before := l.row(r)
	l.deliver(result(r))
	if diff := cmp.Diff(before, l.row(r)); diff != "" {
		t.Errorf("the row was touched (-before +after):\n%s", diff)
	}
	if l.fate(Unknown) != 1 {
		t.Error("not counted as unknown")
	}
}

func TestEveryClassOfARowArrives(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	value, warned := l.leased("balsync:a:1"), l.leased("balsync:a:1")
	warned.Kind, warned.Error = Warned, "bad_decimals: the token says 18"
	row := l.leased("balsync:a:1").fail(RowFault, "reverted", "out of luck")
	endpoint := l.leased("balsync:a:1").fail(EndpointFault, "unreachable", "")
	l.deliver(result(value, warned, row, endpoint))
	l.want(l.row(value), `{"on_chain_balance_raw": "1500000", "on_chain_balance_human": 1.5, "last_error": null, "observed_by": "node-a/batch"}`)
	l.want(l.row(warned), `{"on_chain_balance_raw": "1500000", "on_chain_balance_human": null, "last_error": "bad_decimals: the token says 18"}`)
	l.want(l.row(row), `{"observed_height": null, "last_error": "reverted: out of luck", "error_count": 1}`)
	l.want(l.row(endpoint), `{"observed_height": null, "last_error": "unreachable", "error_count": 0}`)
}

func TestTheFetchersClockIsNotTrustedPastTheBrokers(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	ahead, behind := l.leased("balsync:a:1"), l.leased("balsync:a:2")
	ahead.ObservedAt = time.Now().Add(10 * time.Minute)
	l.send(result(ahead), result(behind))
	messages := l.take(2)
	meta, err := messages[0].Metadata()
	if err != nil {
		t.Fatal(err)
	}
	l.app.handle(t.Context(), messages)
	if got := l.text(`SELECT observed_at = $2 FROM wallet_balances WHERE id = $1`, ahead.ID, meta.Timestamp); got != "true" {
		t.Error("observed_at is not the broker's timestamp of the message")
	}
	l.want(l.row(behind), `{"observed_at": "2026-01-02T03:04:05+00:00"}`)
}

func TestRowsAreCollectedInTheOrderOfTheirClaims(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	rows := make([]Row, 6)
	for i := range rows {
		rows[i] = l.leased(fmt.Sprintf("balsync:a:%d", i/3))
	}
	l.send(result(rows[:3]...), result(rows[3:]...))
	b := &batch{}
	for _, msg := range l.take(2) {
		meta, err := msg.Metadata()
		if err != nil {
			t.Fatal(err)
		}
		m := &message{msg: msg, meta: meta}
		if m.result, err = decode(msg); err != nil {
			t.Fatal(err)
		}
		b.add(m, &l.app.bound)
	}
	for i, r := range b.rows {
		if r.ID != rows[i].ID || b.from[i] != (origin{i / 3, i % 3}) {
			t.Errorf("row %d is %s from %v", i, r.ID, b.from[i])
		}
	}
}

func TestNamesOfEndpointsAreCutAndCleaned(t *testing.T) {
	r := &wire.Result{Endpoint: strings.Repeat("a", 40), Route: "bat\x00ch\n"}
	if got := source(r); got != strings.Repeat("a", 32)+"/bat?ch?" {
		t.Errorf("observed_by %q", got)
	}
	if got := source(&wire.Result{}); got != "" {
		t.Errorf("observed_by of nobody: %q", got)
	}
}
