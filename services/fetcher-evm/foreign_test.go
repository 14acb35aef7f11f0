package fetcherevm

import (
	"fmt"
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/evmdev/faulty"
	"github.com/balance-sync/balance-sync/shared/fetch"
)

// FAULTS 25.
func TestNoRowComesFromANodeOfAnotherChain(t *testing.T) {
	eachWay(t, func(t *testing.T, at rung) {
		node, other := geth(t, chainID), geth(t, chainID+1)
		rows := goodRows(node, 5)
		ours, moved := faulty.Open(t, node.URL()), faulty.Open(t, other.URL())
		r := readerOf(t, setupAt(at), chainOf(ours.URL(), moved.URL()))
		from := func() map[string]int {
			counts := map[string]int{}
			for range 6 {
				outcomes := r.Read(t.Context(), rows, 0)
				mustBeTrue(t, node, rows, outcomes)
				counts[outcomes[0].Proof.Endpoint]++
			}
			return counts
		}
		quarantined := func() bool {
			s := r.fleet.pool.States()[1]
			return s.Quarantined && s.Fault != nil && s.Fault.Code == "wrong_chain"
		}
		if got := from(); got["node-1"] > 0 || !quarantined() {
			t.Errorf("of another chain from the start: %v, %+v", got, r.fleet.pool.States()[1])
		}
		if ready, states := r.fleet.process.Health.Ready(); ready || !strings.Contains(fmt.Sprint(states), "4712") {
			t.Errorf("ready %t: %v", ready, states)
		}
		moved.Swap(node.URL()) // somebody corrects the address
		r.fleet.round(t.Context())
		if got := from(); got["node-1"] == 0 {
			t.Errorf("the right node is not used: %v", got)
		}

		// At runtime, between two checks, with a block in hand: what it answers says it.
		for _, wrong := range []string{"another chain", "another id"} {
			if wrong == "another chain" {
				moved.Swap(other.URL())
			} else {
				moved.On(faulty.ChainID(5))
			}
			// A contract is told the chain's own id: its answer proves that only what the node says of itself is wrong.
			if got := from(); got["node-1"] > 0 && !(wrong == "another id" && at < batch) {
				t.Errorf("%s at runtime: %v", wrong, got)
			}
			r.fleet.round(t.Context()) // a check at the latest
			if !quarantined() {
				t.Errorf("%s at runtime is not noticed: %+v", wrong, r.fleet.pool.States()[1])
			}
			moved.Off()
			moved.Swap(node.URL())
			r.fleet.round(t.Context())
			if got := from(); got["node-1"] == 0 {
				t.Errorf("back from %s the node is not used: %v", wrong, got)
			}
		}

		// Both gone: no value at all.
		ours.Swap(other.URL())
		moved.Swap(other.URL())
		noValue(t, r.Read(t.Context(), []fetch.Row{rows[1], rows[0]}, 0))
	})
}
