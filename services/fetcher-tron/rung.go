package fetchertron

import (
	"slices"

	"github.com/balance-sync/balance-sync/shared/fetch"
)

// rung is a way to read many balances at an endpoint. The lower its number, the more balances a request reads, or the better it is
// proven.
type rung int

// The ladder, from the top; the numbers are those of the EVM's ladder. Every rung gives the same values; where a node cannot take one,
// the next serves.
const (
	scanRevert rung = 1 // the scanner as a constructor that reverts with its answer
	scanReturn rung = 2 // the scanner as a constructor that returns it, for gateways that drop what a revert gives
	multicall  rung = 3 // Multicall3's aggregate3
	single     rung = 5 // one call a balance
)

// routes are the rungs' names in proofs and metrics.
var routes = [...]string{scanRevert: "scanner-revert", scanReturn: "scanner-return", multicall: "multicall3", single: "single"}

// perRung is something for each rung.
type perRung[T any] [len(routes)]T

// String gives the route.
func (r rung) String() string { return routes[r] }

// bulk are the rungs above the last.
var bulk = [...]rung{scanRevert, scanReturn, multicall}

// rungOf gives the rung whose route a proof names.
func rungOf(proof *fetch.Proof) rung { return rung(slices.Index(routes[:], proof.Route)) }
