//go:build !race

package fetcherevm

import (
	"fmt"
	"testing"
)

// FAULTS 24. geth itself is reorganised, as by a consensus client that chooses another fork.
func TestAfterAReorganisationTheNextReadIsOfTheCanonicalChain(t *testing.T) {
	node := geth(t, chainID)
	churn(t, node, 13)
	rows := goodRows(node, 4)
	eachWay(t, func(t *testing.T, at rung) {
		for named, depths := range map[string][]int{"hash": {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, "number": {1, 12}} {
			node.Intercept(nil)
			if named == "number" {
				refuseHashes(node)
			}
			r := readerOf(t, setupAt(at), chainOf(node.URL()))
			for _, depth := range depths {
				longer := depth%3 - 1 // the new fork ends lower than the old one, as high, or higher
				unpin(r)
				mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
				if err := node.Rewind(depth); err != nil {
					t.Fatal(err)
				}
				churn(t, node, depth+longer)
				what := fmt.Sprintf("by %s, depth %d, %+d blocks", named, depth, longer)

				// At once, with the block in hand that was chosen before: a value of the new chain, or none.
				for i, o := range r.Read(t.Context(), rows, 0) {
					if o.Err != nil {
						continue
					}
					truth, err := node.Balance(o.Proof.Height, rows[i].Asset.Contract, rows[i].Address)
					if err != nil || o.Raw != truth.String() {
						t.Errorf("%s, at once: %s at %d, the state has %v (%v)", what, o.Raw, o.Proof.Height, truth, err)
					}
				}
				// When the rows are next due.
				unpin(r)
				after := r.Read(t.Context(), rows, 0)
				mustBeTrue(t, node, rows, after)
				if got := after[0].Proof.Height; got != node.Head() {
					t.Errorf("%s: read at %d of %d", what, got, node.Head())
				}
				churn(t, node, 1)
			}
		}
	})
}
