package fetch

import (
	"time"

	"github.com/balance-sync/balance-sync/shared/amount"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// check makes sure that an outcome is one of the four kinds. A value without proof of its height, or one that is not a
// uint256, must not leave the fetcher: it becomes an error of the endpoint that gave it. So does an error that no writer would
// understand: with it the whole message, its good rows included, would be refused.
func check(o Outcome) Outcome {
	bad := func(message string) Outcome { return EndpointError(wire.CodeBadReply, message) }
	if o.Err != nil {
		switch o.Err.Class {
		case wire.ClassRow, wire.ClassEndpoint:
			o.Raw = ""
		case wire.ClassWarning:
		default:
			return bad("an error of an unknown class")
		}
		if o.Err.Code == "" {
			return bad("an error without a code")
		}
	}
	switch {
	case o.Raw == "" && (o.Err == nil || o.Err.Class == wire.ClassWarning):
		return bad("neither a value nor an error")
	case o.Raw == "":
		return Outcome{Err: o.Err}
	case o.Proof == nil || o.Proof.Height <= 0 || o.Proof.Endpoint == "" || o.Proof.ObservedAt.IsZero():
		return bad("a value without proof of its height")
	case amount.Check(o.Raw) != nil:
		return bad("a value that is not a uint256")
	}
	return o
}

// results groups outcomes by the reading that they come from: one result for each proof, and one without a
// height for the errors.
func results(claim *wire.Claim, rows []Row, outcomes []Outcome, now time.Time, scrub *secret.Scrubber) []*wire.Result {
	var order []*wire.Result
	byProof := map[*Proof]*wire.Result{}
	of := func(p *Proof) *wire.Result {
		if r := byProof[p]; r != nil {
			return r
		}
		r := &wire.Result{Claim: claim.Name, Family: claim.Family, Chain: claim.Chain, ObservedAt: now}
		if p != nil {
			r.Endpoint, r.Route, r.Height, r.Parent, r.Finality = p.Endpoint, p.Route, p.Height, p.Parent, p.Finality
			r.ObservedAt, r.Tip, r.Agree = p.ObservedAt, p.Tip, p.Agree
		}
		byProof[p], order = r, append(order, r)
		return r
	}
	assets := map[*wire.Result]map[wire.Asset]int{}
	for i, row := range rows {
		o := outcomes[i]
		r := of(o.Proof) // an error has none: it must not borrow a height
		if o.Err != nil {
			r.Errors = append(r.Errors, wire.RowError{Row: len(r.IDs), Class: o.Err.Class, Code: o.Err.Code, Message: wire.CleanError(scrub.Scrub(o.Err.Message))})
		}
		if assets[r] == nil {
			assets[r] = map[wire.Asset]int{}
		}
		place, known := assets[r][row.Asset]
		if !known {
			place = len(r.Assets)
			assets[r][row.Asset], r.Assets = place, append(r.Assets, row.Asset)
		}
		r.IDs, r.Wallets, r.AssetOf = append(r.IDs, row.ID), append(r.Wallets, row.Wallet), append(r.AssetOf, place)
		r.Epochs, r.Raw = append(r.Epochs, row.Epoch), append(r.Raw, o.Raw)
	}
	return order
}
