package fetcherevm

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rs/zerolog"
)

func TestATokenOfOtherDecimalsGivesAWarningWithItsValue(t *testing.T) {
	node := geth(t, chainID)
	for at := override; at <= single; at++ {
		r := readerOf(t, setupAt(at), chainOf(node.URL()))
		asset := tokenOf(node.Tokens()[1])
		asset.Decimals = 18
		right := tokenOf(node.Tokens()[1])
		rows := []fetch.Row{rowOf(asset, node.Wallet(3)), rowOf(native(), node.Wallet(3)), rowOf(right, node.Wallet(4))}
		outcomes := r.Read(t.Context(), rows, 0)
		o := outcomes[0]
		truth, err := node.Balance(o.Proof.Height, asset.Contract, rows[0].Address)
		if err != nil || o.Raw != truth.String() {
			t.Errorf("%s: %s, the state has %v (%v)", at, o.Raw, truth, err)
		}
		if o.Err == nil || o.Err.Class != wire.ClassWarning || o.Err.Code != wire.CodeDecimalsMismatch || !strings.Contains(o.Err.Message, "6 decimals, the database 18") {
			t.Errorf("%s: %+v", at, o.Err)
		}
		mustBeTrue(t, node, rows[1:], outcomes[1:])
		if n := testutil.ToFloat64(r.fleet.metrics.decimals.WithLabelValues("mismatch")); n != 1 {
			t.Errorf("%s: %v mismatches", at, n)
		}
		// The database is put right: no further question is needed.
		rows[0].Asset.Decimals = 6
		mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
	}
}

func TestATokenWithoutUsableDecimalsIsReadWithoutAWarning(t *testing.T) {
	node := geth(t, chainID)
	said := func(result string) func(exchange) string {
		return func(e exchange) string {
			if !strings.Contains(e.request, decimalsOf) {
				return e.answer
			}
			at := strings.LastIndex(e.answer, `"result":`)
			end := strings.IndexByte(e.answer[at:], '}')
			return e.answer[:at] + result + e.answer[at+end:]
		}
	}
	word := func(hex string) string { return `"result":"0x` + strings.Repeat("0", 64-len(hex)) + hex + `"` }
	for name, result := range map[string]string{
		"reverts": `"error":{"code":3,"message":"execution reverted: no decimals"}`, "burns its gas": `"error":{"code":-32000,"message":"out of gas"}`,
		"says nothing": `"result":"0x"`, "says 256": word("100"), "says 2^256-1": word(strings.Repeat("f", 64)), "says a byte": `"result":"0x12"`,
	} {
		r := readerOf(t, setup(), chainOf(node.URL()))
		rewrite(node, said(result))
		rows := []fetch.Row{rowOf(token(node.Tokens()[1].Address), node.Wallet(3))}
		mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
		if n := testutil.ToFloat64(r.fleet.metrics.decimals.WithLabelValues("unknown")); n != 1 {
			t.Errorf("%s: counted %v times", name, n)
		}
		node.Intercept(nil)
	}
}

// Without an answer nobody knows how many digits are behind the point: no value leaves, and the next claim asks again.
func TestWithoutAnAnswerAboutItsDecimalsATokenGivesNoValue(t *testing.T) {
	node := geth(t, chainID)
	r := readerOf(t, setup(), chainOf(node.URL()))
	rows := goodRows(node, 3)
	for name, answer := range map[string]string{"garbage": "<html>", "an unknown error": `{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"something new"}}`} {
		refuse(node, decimalsOf, answer)
		for i, o := range r.Read(t.Context(), rows, 0) {
			if rows[i].Asset.Native {
				mustBeTrue(t, node, rows[i:i+1], []fetch.Outcome{o})
			} else if o.Raw != "" || o.Err.Class != wire.ClassEndpoint {
				t.Errorf("%s: %q %+v", name, o.Raw, o.Err)
			}
		}
	}
	node.Intercept(nil)
	mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
	// What was answered once holds, whatever becomes of a later question.
	for _, row := range rows {
		if row.Asset.Native {
			continue
		}
		long := fetch.Said{Number: row.Asset.Decimals, Known: true, At: time.Now().Add(-2 * fetch.DecimalsAge)}
		of, err := parseToken(row.Asset.Contract)
		if verdict := r.fleet.tokens.decimals.Note(of, long, row.Asset.Decimals, r.fleet.log); err != nil || verdict != "match" {
			t.Fatal(verdict, err)
		}
	}
	refuse(node, decimalsOf, "<html>")
	mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
}

func TestDecimalsAreAskedForOnceAndThenDaily(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := newTokens()
		calls := []call{{native: true}, {token: someToken}, {token: someToken, row: 1}, {token: address{18: 9, 0: 9}}}
		if due, never := tokens.unchecked(calls); len(due) != 2 || never != 2 {
			t.Fatalf("%d are due, %d never checked", len(due), never)
		}
		tokens.decimals.Note(someToken, fetch.Said{Number: 6, Known: true, At: time.Now()}, 6, zerolog.Nop())
		tokens.decimals.Note(calls[3].token, fetch.Said{At: time.Now()}, 6, zerolog.Nop())
		if due, _ := tokens.unchecked(calls); len(due) != 0 {
			t.Fatalf("%d are due at once", len(due))
		}
		<-time.After(time.Hour + time.Second)
		if due, never := tokens.unchecked(calls); len(due) != 1 || due[0].token != calls[3].token || never != 0 {
			t.Errorf("after an hour %d are due", len(due))
		}
		<-time.After(fetch.DecimalsAge)
		if due, never := tokens.unchecked(calls); len(due) != 2 || never != 0 {
			t.Errorf("after a day %d are due", len(due))
		}
	})
}
