package fetcherevm

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/evmdev/faulty"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// FAULTS 29.
func TestOneOfTwoHundredThatFailsIsOneErrorAnd199Values(t *testing.T) {
	node := geth(t, chainID)
	eachWay(t, func(t *testing.T, at rung) {
		for name, code := range map[string]string{"reverts": wire.CodeReverted, "returns-nothing": wire.CodeEmptyReturn, "no-code": wire.CodeNoContract,
			"returns-31-bytes": wire.CodeShortReturn} {
			rows := slices.Insert(goodRows(node, 50)[:199], 120, rowOf(tokenOf(node.Token(name)), node.Wallet(3)))
			outcomes := readerOf(t, setupAt(at), chainOf(node.URL())).Read(t.Context(), rows, 0)
			if o := outcomes[120]; o.Raw != "" || o.Err == nil || o.Err.Class != wire.ClassRow || o.Err.Code != code {
				t.Errorf("%s: %q, %+v, want the row error %s", name, o.Raw, o.Err, code)
			}
			if got := codes(outcomes); got["value"] != 199 {
				t.Errorf("%s: %v", name, got)
			}
			mustBeTrue(t, node, slices.Delete(rows, 120, 121), slices.Delete(outcomes, 120, 121))
		}
	})
}

// One element fails through the batch, not through its token: alone it has a value, and that is the truth.
func TestAnElementThatOnlyTheBatchFailsGetsItsValue(t *testing.T) {
	node := geth(t, chainID)
	rows := goodRows(node, 20)
	for name, reply := range map[string]faulty.Reply{
		"a revert": {Error: &faulty.Error{Code: 3, Message: "execution reverted"}}, "nothing": {Result: json.RawMessage(`"0x"`)},
		"31 bytes": {Result: json.RawMessage(`"0x` + "00000000000000000000000000000000000000000000000000000000000007" + `"`)},
		"no gas":   {Error: &faulty.Error{Code: -32000, Message: "out of gas"}},
	} {
		front := faulty.Open(t, node.URL())
		r := readerOf(t, setupAt(batch), chainOf(front.URL()))
		fault := faulty.Replace(30, reply) // behind the chain id and the coins: a token's row
		front.On(fault)
		outcomes := r.Read(t.Context(), rows, 0)
		mustBeTrue(t, node, rows, outcomes)
		if fault.Hits() == 0 {
			t.Errorf("%s: the fault was not met", name)
		}
	}
}

// Batches that come back broken: whatever is not clearly the answer to a row gives the row no value.
func TestABrokenBatchGivesNoWrongValue(t *testing.T) {
	node := geth(t, chainID)
	rows := goodRows(node, 20)
	for name, fault := range map[string]*faulty.Fault{"the last three are missing": faulty.Shorten(3), "all but one are missing": faulty.Shorten(1000),
		"one comes twice": faulty.Duplicate(), "half of the bytes": faulty.Truncate()} {
		front := faulty.Open(t, node.URL())
		r := readerOf(t, setupAt(batch), chainOf(front.URL()))
		mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
		front.On(fault)
		values := 0
		outcomes := r.Read(t.Context(), rows, 0)
		for i, o := range outcomes {
			if o.Raw != "" {
				mustBeTrue(t, node, rows[i:i+1], outcomes[i:i+1])
				values++
			} else if o.Err == nil || o.Err.Class != wire.ClassEndpoint {
				t.Errorf("%s: row %d: %+v", name, i, o.Err)
			}
		}
		if fault.Hits() == 0 || values == len(rows) {
			t.Errorf("%s: %d values, the fault was met %d times", name, values, fault.Hits())
		}
	}
}
