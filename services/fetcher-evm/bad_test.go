package fetcherevm

import (
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// badTokens is the error that each planted contract must end in.
var badTokens = map[string]string{
	"reverts": wire.CodeReverted, "returns-nothing": wire.CodeEmptyReturn, "returns-31-bytes": wire.CodeShortReturn, "gas-loop": wire.CodeGasExceeded,
	"revert-bomb": wire.CodeReverted, "invalid-opcode": wire.CodeReverted, "no-code": wire.CodeNoContract,
	"reverts-200-kilobytes": wire.CodeReverted, "delegates-to-itself": wire.CodeReverted,
}

func TestABadTokenIsItsRowsErrorAndNobodyElses(t *testing.T) {
	node := geth(t, chainID)
	good := goodRows(node, 50)
	if len(node.Bad()) != len(badTokens) {
		t.Fatalf("%d bad contracts, %d expected", len(node.Bad()), len(badTokens))
	}
	for _, bad := range node.Bad() {
		for _, copies := range []int{1, 20} {
			for at := override; at <= single; at++ {
				if at == single && copies > 1 {
					continue
				}
				r := readerOf(t, setupAt(at), chainOf(node.URL()))
				rows := append([]fetch.Row{}, good[:100]...)
				asset := token(bad.Address)
				for i := range copies {
					rows = append(rows, rowOf(asset, node.Wallet(i)))
				}
				rows = append(rows, good[100:]...)
				outcomes := r.Read(t.Context(), rows, 0)
				planted := outcomes[100 : 100+copies]
				for _, o := range planted {
					if o.Raw != "" || o.Err == nil || o.Err.Class != wire.ClassRow || o.Err.Code != badTokens[bad.Name] {
						t.Errorf("%s ×%d, %s: %q %+v, want %s", bad.Name, copies, at, o.Raw, o.Err, badTokens[bad.Name])
					}
				}
				mustBeTrue(t, node, append(append([]fetch.Row{}, rows[:100]...), rows[100+copies:]...),
					append(append([]fetch.Outcome{}, outcomes[:100]...), outcomes[100+copies:]...))
			}
		}
	}
}

// The seed stored 0 for every answer that it could not read.
func TestAnEmptyAnswerIsNotZero(t *testing.T) {
	node := geth(t, chainID)
	for _, name := range []string{"returns-nothing", "no-code"} {
		var address string
		for _, bad := range node.Bad() {
			if bad.Name == name {
				address = bad.Address
			}
		}
		outcomes := readerOf(t, setup(), chainOf(node.URL())).Read(t.Context(), []fetch.Row{rowOf(token(address), node.Wallet(1))}, 0)
		if o := outcomes[0]; o.Raw != "" || o.Err == nil || o.Err.Class != wire.ClassRow {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

func TestAShortAnswerIsNotAValue(t *testing.T) {
	c := call{token: address{19: 0xff}}
	for _, bytes := range []int{1, 20, 31} {
		if a := c.answer(reply{result: []byte(`"0x` + strings.Repeat("01", bytes) + `"`)}); a.raw != "" || a.code != wire.CodeShortReturn {
			t.Errorf("%d bytes: %+v", bytes, a)
		}
	}
	if a := c.answer(reply{result: []byte(`"0x` + strings.Repeat("00", 31) + `07` + strings.Repeat("ff", 64) + `"`)}); a.raw != "7" {
		t.Errorf("the first word of three: %+v", a)
	}
}

func TestOddTokensGiveTheTruthOrAnError(t *testing.T) {
	node := geth(t, chainID)
	for _, odd := range node.Odd() {
		for at := override; at <= single; at++ {
			rows := []fetch.Row{rowOf(tokenOf(odd), node.Wallet(7)), rowOf(tokenOf(odd), node.Wallet(12))}
			outcomes := readerOf(t, setupAt(at), chainOf(node.URL())).Read(t.Context(), rows, 0)
			if odd.Name == "returns-megabyte" && outcomes[0].Err != nil {
				noValue(t, outcomes) // a bound on gas may refuse it
				continue
			}
			mustBeTrue(t, node, rows, outcomes)
		}
	}
}

// An error of a batch is only believed once the row has failed alone: here the batch lies.
func TestABatchsErrorIsOverturnedByTheSingleCall(t *testing.T) {
	node := geth(t, chainID)
	r := readerOf(t, setupAt(batch), chainOf(node.URL()))
	rewrite(node, func(e exchange) string {
		if strings.HasPrefix(e.request, "[") {
			return strings.ReplaceAll(e.answer, `"result":"0x000000000000000000`, `"error":{"code":3,"message":"execution reverted"},"x":"`)
		}
		return e.answer
	})
	rows := goodRows(node, 5)
	outcomes := r.Read(t.Context(), rows, 0)
	mustBeTrue(t, node, rows, outcomes)
	if outcomes[1].Proof.Route != "single" {
		t.Errorf("route %s", outcomes[1].Proof.Route)
	}
}
