package fetcherevm

import (
	"testing"

	"github.com/balance-sync/balance-sync/devkit/evmdev"
	"github.com/balance-sync/balance-sync/devkit/evmdev/faulty"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/google/uuid"
)

// table is wallet_balances as far as the order of balances goes: a value is stored when it stands higher than what is stored.
type table struct {
	node    *evmdev.Node
	heights map[uuid.UUID]int64
	// stale counts values that stood lower than what was stored, failed the rows without a value.
	stale, failed int
}

// store takes the outcomes of rows. Every value must be that of the state at its height.
func (s *table) store(t *testing.T, rows []fetch.Row, outcomes []fetch.Outcome) {
	t.Helper()
	for i, o := range outcomes {
		switch {
		case o.Err != nil:
			s.failed++
			continue
		case o.Proof.Height < s.heights[rows[i].ID]:
			s.stale++
		default:
			s.heights[rows[i].ID] = o.Proof.Height
		}
		truth, err := s.node.Balance(o.Proof.Height, rows[i].Asset.Contract, rows[i].Address)
		if err != nil {
			t.Fatal(err)
		}
		if o.Raw != truth.String() {
			t.Errorf("row %d: %s in block %d, the state has %s", i, o.Raw, o.Proof.Height, truth)
		}
	}
}

// highest is what a claim names: the highest height stored among its rows.
func (s *table) highest() int64 {
	var most int64
	for _, height := range s.heights {
		most = max(most, height)
	}
	return most
}

// unpin makes the next reading look for a new block, as it does a second later.
func unpin(r *reader) {
	for _, n := range r.fleet.nodes {
		n.unpin()
	}
}

// churn makes blocks in which the balances of the first wallets move.
func churn(t *testing.T, node *evmdev.Node, blocks int) {
	t.Helper()
	for range blocks {
		if err := node.Churn(t.Context(), 0, 10); err != nil {
			t.Fatal(err)
		}
	}
}

// FAULTS 22.
func TestALaggingNodeOfThreeNeverTakesARowBack(t *testing.T) {
	eachWay(t, func(t *testing.T, at rung) {
		node := geth(t, chainID)
		churn(t, node, 60)
		fronts := []*faulty.Front{faulty.Open(t, node.URL()), faulty.Open(t, node.URL()), faulty.Open(t, node.URL())}
		r := readerOf(t, setupAt(at), chainOf(fronts[0].URL(), fronts[1].URL(), fronts[2].URL()))
		rows := goodRows(node, 10)
		stored := &table{node: node, heights: map[uuid.UUID]int64{}}
		for range 6 { // every endpoint has its turn, and its block
			stored.store(t, rows, r.Read(t.Context(), rows, stored.highest()))
		}

		// A node falls back behind the block that was chosen there: it says so, and the rows are read elsewhere.
		lag := faulty.Lag(50)
		fronts[1].On(lag)
		for range 6 {
			stored.store(t, rows, r.Read(t.Context(), rows, stored.highest()))
		}
		if stored.failed > 0 || lag.Hits() == 0 {
			t.Errorf("%d rows without a value, the fault was met %d times", stored.failed, lag.Hits())
		}

		// Until the next check the pool believes its last head: one reading in all may stand lower, and says at which height.
		churn(t, node, 1)
		unpin(r)
		for range 6 {
			stored.store(t, rows, r.Read(t.Context(), rows, stored.highest()))
		}
		if stored.stale > len(rows) || stored.failed > 0 {
			t.Errorf("%d stale values of %d rows, %d without a value", stored.stale, len(rows), stored.failed)
		}

		// After it nobody asks the node for a balance, as long as there are others.
		r.fleet.round(t.Context())
		before, stale := fronts[1].Calls(), stored.stale
		for range 6 {
			churn(t, node, 1)
			unpin(r)
			stored.store(t, rows, r.Read(t.Context(), rows, stored.highest()))
		}
		if fronts[1].Calls() != before || stored.stale != stale || stored.failed > 0 {
			t.Errorf("%d calls at the lagging node, %d values stale, %d without one", fronts[1].Calls()-before, stored.stale-stale, stored.failed)
		}
		if got := stored.highest(); got != node.Head() {
			t.Errorf("rows stand at %d of %d", got, node.Head())
		}

		// It catches up and is used again.
		fronts[1].Off()
		r.fleet.round(t.Context())
		before = fronts[1].Calls()
		for range 6 {
			stored.store(t, rows, r.Read(t.Context(), rows, stored.highest()))
		}
		if fronts[1].Calls() == before {
			t.Error("the node has caught up and is never asked")
		}
	})
}

func TestANodeThatAnswersFromAnotherBlockGivesNoValue(t *testing.T) {
	eachWay(t, func(t *testing.T, at rung) {
		node := geth(t, chainID)
		churn(t, node, 3)
		front := faulty.Open(t, node.URL())
		pin := faulty.IgnorePin(2)
		front.On(pin)
		r := readerOf(t, setupAt(at), chainOf(front.URL()))
		noValue(t, r.Read(t.Context(), goodRows(node, 5), 0))
		if pin.Hits() == 0 {
			t.Error("the fault was not met")
		}
	})
}

// FAULTS 23.
func TestNoValueStandsAboveTheChain(t *testing.T) {
	eachWay(t, func(t *testing.T, at rung) {
		node := geth(t, chainID)
		fronts := []*faulty.Front{faulty.Open(t, node.URL()), faulty.Open(t, node.URL()), faulty.Open(t, node.URL())}
		c := chainOf(fronts[0].URL(), fronts[1].URL(), fronts[2].URL())
		rows := goodRows(node, 5)
		for _, sudden := range []bool{false, true} { // from the start, or once it is trusted
			ahead := faulty.Ahead(1_000_000_000)
			if !sudden {
				fronts[0].On(ahead)
			}
			r := readerOf(t, setupAt(at), c)
			if sudden {
				mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
				fronts[0].On(ahead)
			}
			for range 6 {
				unpin(r)
				outcomes := r.Read(t.Context(), rows, node.Head())
				mustBeTrue(t, node, rows, outcomes) // the state trie knows no block that far
				if got := outcomes[0].Proof; got.Height > node.Head() || got.Tip > node.Head() {
					t.Errorf("%+v, the chain is at %d", got, node.Head())
				}
				r.fleet.round(t.Context())
			}
			if ahead.Hits() == 0 {
				t.Error("the fault was not met")
			}
			fronts[0].Off()
		}
	})
}
