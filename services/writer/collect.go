package writer

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/nats-io/nats.go/jetstream"
)

// message is a result in hand.
type message struct {
	msg    jetstream.Msg
	meta   *jetstream.MsgMetadata
	result *wire.Result
	// owed is why the message cannot be settled although its rows are: a dead letter that could not be stored.
	owed error
}

// Errors of a message that no later try can cure, besides those of wire.DecodeResult.
var (
	errForeignChain = errors.New("result names another chain than its subject")
	errBadClaim     = errors.New("result names a claim that no lease can have")
)

// decode reads a message. The chain of the subject is the one that counts: who may publish there is the broker's permission,
// what the payload says is only the sender's word. An error makes the message a dead letter.
func decode(msg jetstream.Msg) (*wire.Result, error) {
	result, err := wire.DecodeResult(msg.Headers().Get(wire.HeaderSchema), msg.Data())
	if err != nil {
		return nil, err
	}
	family, chain, _ := wire.ChainOf(msg.Subject())
	if result.Family != family || result.Chain != chain {
		return nil, fmt.Errorf("%w: %s.%s", errForeignChain, wire.CleanText(result.Family), wire.CleanText(result.Chain))
	}
	if wire.CleanText(result.Claim) != result.Claim {
		return nil, errBadClaim
	}
	return result, nil
}

// batch is what is applied together: rows in the order of the messages and of their claims.
type batch struct {
	messages []*message
	rows     []Row
	from     []origin  // of rows[i]
	outcomes []Outcome // of rows[i]; the fate is "" until it is settled
}

// origin is where a row came from: an index in the batch's messages, and one in that result's columns.
type origin struct{ message, row int }

// add takes in the rows of a message. stored is the broker's timestamp of the message, the same however often it is delivered.
func (b *batch) add(m *message, bound *mark) {
	r, stored := m.result, m.meta.Timestamp
	valued := slices.ContainsFunc(r.Raw, func(raw string) bool { return raw != "" })
	believed := !valued || bound.accept(r.Height, r.Tip, stored)
	failures := make(map[int]wire.RowError, len(r.Errors))
	for _, e := range r.Errors {
		failures[e.Row] = e
	}
	for i := range r.IDs {
		row := Row{ID: r.IDs[i], Claim: r.Claim, Wallet: r.Wallets[i], Asset: r.Assets[r.AssetOf[i]], Epoch: r.Epochs[i], Kind: Value,
			Raw: r.Raw[i], Height: r.Height, ObservedAt: observed(r.ObservedAt, stored), ObservedBy: source(r)}
		if e, failed := failures[i]; failed {
			row.Kind, row.Error = kindOf(e.Class), e.Text()
		}
		outcome := Outcome{}
		switch {
		case row.Raw == "":
			row.Height = 0 // an error proves nothing about a height
		case !believed:
			outcome.Refused = wire.CodeHeightRefused
			row = row.fail(EndpointFault, wire.CodeHeightRefused, fmt.Sprintf("height %d is above what the chain can have reached", r.Height))
		}
		b.rows, b.from, b.outcomes = append(b.rows, row), append(b.from, origin{len(b.messages), i}), append(b.outcomes, outcome)
	}
	b.messages = append(b.messages, m)
}

// kindOf gives the kind of a class; wire knows no others.
func kindOf(c wire.Class) Kind {
	switch c {
	case wire.ClassWarning:
		return Warned
	case wire.ClassRow:
		return RowFault
	}
	return EndpointFault
}

// observed trusts the fetcher's clock only backwards: a reading cannot have started after its result was stored.
func observed(fetcher, stored time.Time) time.Time {
	if fetcher.After(stored) {
		return stored
	}
	return fetcher
}

// source names who said so, "node-a/batch", for observed_by.
func source(r *wire.Result) string {
	if r.Endpoint == "" && r.Route == "" {
		return ""
	}
	return short(r.Endpoint) + "/" + short(r.Route)
}

// short keeps a name that a fetcher gave to the length that ours have.
func short(name string) string {
	name = wire.CleanText(name)
	return name[:min(len(name), 32)]
}
