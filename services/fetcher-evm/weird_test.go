//go:build !race

package fetcherevm

import (
	"fmt"
	"slices"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/anvildev"
	"github.com/balance-sync/balance-sync/devkit/evmdev"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// expectation is what may come of a row of a weird token.
type expectation struct {
	// truth says that the value may be what the token has stored, one that a contract may be told 1 instead.
	truth, one bool
	// codes are the row errors that it may end in.
	codes []string
}

// expectations are those of every planted token: on every client and by every way the same, but where the token itself makes a
// difference. What is not here must be read as any other.
var expectations = map[string]expectation{
	// A bound on gas may refuse what costs 2.2 million.
	"returns-megabyte": {truth: true, codes: []string{wire.CodeGasExceeded}},
	// Whoever asks from within a contract is lied to or refused: the allowed exceptions.
	"answers-by-caller": {truth: true, one: true},
	"writes-on-read":    {truth: true},
	"reverts":           {codes: []string{wire.CodeReverted}}, "reverts-200-kilobytes": {codes: []string{wire.CodeReverted}},
	"revert-bomb": {codes: []string{wire.CodeReverted}}, "returns-nothing": {codes: []string{wire.CodeEmptyReturn}},
	"returns-31-bytes": {codes: []string{wire.CodeShortReturn}}, "gas-loop": {codes: []string{wire.CodeGasExceeded}},
	"invalid-opcode": {codes: []string{wire.CodeReverted}}, "no-code": {codes: []string{wire.CodeNoContract}},
	"delegates-to-itself": {codes: []string{wire.CodeReverted}},
}

// client is a node under test, whose balances are those of the first block of geth.
type client struct {
	name, url string
}

// clients starts both. Nothing moves on either.
func clients(t *testing.T) (*evmdev.Node, []client) {
	t.Helper()
	node := geth(t, chainID)
	anvil := anvildev.Run(t, evmdev.Config{ChainID: chainID, Wallets: 210}, 3)
	return node, []client{{"geth", node.URL()}, {"anvil", anvil.URL()}}
}

// copies are how many rows of a weird token are worth a try. One by one, more than one shows nothing new, and anvil takes a
// quarter of a second for each revert of 200 kB.
func copies(at rung, on client) int {
	switch {
	case at == single:
		return 1
	case on.name == "geth" && at == batch: // where answers add up
		return 20
	}
	return 3
}

// The largest table of the package: each weird token, up to twenty times, in the middle of good rows. Its rows end as they
// should, and its neighbours never notice.
func TestNoWeirdTokenIsMisreadNorSpoilsItsNeighbours(t *testing.T) {
	node, both := clients(t)
	good := goodRows(node, 15)
	weird := slices.Concat(node.Odd(), node.OddDecimals(), node.Fickle(), node.Bad())
	for _, on := range both {
		eachWay(t, func(t *testing.T, at rung) {
			for _, bad := range weird {
				copies := copies(at, on)
				rows := slices.Clone(good[:30])
				for i := range copies {
					rows = append(rows, rowOf(tokenOf(bad), node.Wallet(100+i)))
				}
				rows = append(rows, good[30:]...)
				outcomes := readerOf(t, setupAt(at), chainOf(on.url)).Read(t.Context(), rows, 0)
				for i := range rows {
					want := expectation{truth: true}
					if found, weird := expectations[bad.Name]; weird && i >= 30 && i < 30+copies {
						want = found
					}
					want.check(t, node, fmt.Sprintf("%s, %s ×%d", on.name, bad.Name, copies), rows[i], outcomes[i])
				}
			}
		})
	}
}

// check holds an outcome against what may come of it.
func (e expectation) check(t *testing.T, node *evmdev.Node, beside string, row fetch.Row, o fetch.Outcome) {
	t.Helper()
	if o.Raw == "" {
		if o.Err == nil || o.Err.Class != wire.ClassRow || !slices.Contains(e.codes, o.Err.Code) {
			t.Errorf("%s: %s of %s: %+v, want %+v", beside, row.Asset.Contract, row.Address, o.Err, e)
		}
		return
	}
	switch {
	case !e.truth && !e.one, o.Proof == nil, o.Err != nil && o.Err.Class != wire.ClassWarning:
		t.Errorf("%s: %s of %s: value %s, %+v, want %+v", beside, row.Asset.Contract, row.Address, o.Raw, o.Err, e)
		return
	case e.one && o.Raw == "1":
		return
	}
	truth, err := node.Balance(0, row.Asset.Contract, row.Address)
	if err != nil {
		t.Fatal(err)
	}
	if o.Raw != truth.String() {
		t.Errorf("%s: %s of %s: %s, the state has %s", beside, row.Asset.Contract, row.Address, o.Raw, truth)
	}
}
