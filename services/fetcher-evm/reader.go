package fetcherevm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/upstream"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// tries is how many endpoints one read asks, each once.
const tries = 3

// reader reads the balances of one chain: the fetch.Reader of the EVM family.
type reader struct {
	fleet       *fleet
	gas, maxGas uint64
}

// Read gives one outcome per row. Rows that an endpoint fails go on to the next, while the chain's retry budget lasts; those
// that none could serve come back as endpoint errors.
func (r *reader) Read(ctx context.Context, rows []fetch.Row, atLeast int64) []fetch.Outcome {
	calls, outcomes := plan(rows)
	if atLeast > 0 {
		atLeast += r.fleet.chain.Finality.Lag // where the head must be for the block to be there
	}
	var tried []*upstream.Endpoint
	for len(calls) > 0 && len(tried) < tries && (len(tried) == 0 || ctx.Err() == nil) {
		member, err := r.fleet.pool.Pick(atLeast, tried...)
		if err != nil {
			if len(tried) == 0 {
				r.unavailable(calls, outcomes, err)
			}
			break
		}
		calls = r.readAt(ctx, member, calls, outcomes)
		tried = append(tried, member)
	}
	return outcomes
}

// unavailable answers rows for which there is nobody to ask.
func (r *reader) unavailable(calls []call, outcomes []fetch.Outcome, err error) {
	code := wire.CodeUnreachable
	var none *upstream.Unavailable
	if errors.As(err, &none) && none.Code() != upstream.Unchecked {
		code = cmp.Or(none.Code(), code)
	}
	for _, c := range calls {
		outcomes[c.row] = fetch.EndpointError(code, r.fleet.clean(err.Error()))
	}
}

// readAt reads calls at one endpoint, sets their outcomes and gives back those that the endpoint failed.
func (r *reader) readAt(ctx context.Context, member *upstream.Endpoint, calls []call, outcomes []fetch.Outcome) []call {
	defer member.Release()
	at := &reading{reader: r, node: r.fleet.nodes[member], began: time.Now().UTC(), outcomes: outcomes}
	for _, c := range calls {
		outcomes[c.row] = fetch.Outcome{}
	}
	failed := at.open(ctx)
	if failed == nil {
		failed = at.batches(ctx, calls)
	}
	if failed == nil {
		failed = at.confirm(ctx)
	}
	if failed == nil {
		failed = garbled("the row was not answered") // of which there should be none
	}
	var left []call
	for _, c := range calls {
		if o := &outcomes[c.row]; o.Raw == "" && o.Err == nil {
			at.fail(c, failed)
		}
		if err := outcomes[c.row].Err; err != nil && err.Class == wire.ClassEndpoint {
			left = append(left, c)
		}
	}
	if len(left) == 0 {
		member.Took(time.Since(at.began))
	} else {
		at.node.blame(at.last)
		if at.last.class == lagging || at.last.class == pruned {
			at.node.unpin()
		}
	}
	return left
}

// reading is one go at one endpoint, at one block.
type reading struct {
	*reader
	node     *node
	began    time.Time
	pin      *pin
	tip      upstream.Tip
	outcomes []fetch.Outcome
	// suspects are the rows that a batch gave an error of their own.
	suspects []suspect
	// last is the last failure that a row was given.
	last *failure
	// byBatch and alone are the proofs of the two routes; rows of one route share theirs.
	byBatch, alone *fetch.Proof
}

// open finds the block and holds it against what the pool has agreed on: no node alone can say that the chain is further.
func (r *reading) open(ctx context.Context) *failure {
	var f *failure
	if r.pin, f = r.node.pin(ctx); f != nil {
		return f
	}
	r.tip = r.fleet.pool.Tip()
	if bound := r.tip.Bound(time.Now(), r.fleet.chain.HeightSlack, r.fleet.chain.BlockTime); r.pin.number > bound {
		r.node.unpin()
		return &failure{class: ahead, text: fmt.Sprintf("block %d is above %d, the most that the endpoints' agreed tip %d allows", r.pin.number, bound, r.tip.Height)}
	}
	r.byBatch, r.alone = r.proof("batch"), r.proof("single")
	return nil
}

func (r *reading) proof(route string) *fetch.Proof {
	return &fetch.Proof{Endpoint: r.node.member.Name(), Route: route, Height: r.pin.number, Parent: r.pin.parent,
		Finality: r.fleet.chain.Finality.String(), ObservedAt: r.began, Tip: r.tip.Height, Agree: r.tip.Agree}
}

// settle sets what a row's answer means.
func (r *reading) settle(c call, a answer, proof *fetch.Proof) {
	switch {
	case a.failed != nil:
		r.fail(c, a.failed)
	case a.code != "":
		r.outcomes[c.row] = fetch.RowError(a.code, r.fleet.clean(a.text))
	default:
		r.outcomes[c.row] = fetch.Outcome{Raw: a.raw, Proof: proof}
	}
}

// fail gives a row the error of its endpoint.
func (r *reading) fail(c call, f *failure) {
	r.last = f
	r.outcomes[c.row] = fetch.EndpointError(f.code(), r.fleet.clean(r.node.member.Name()+": "+f.text))
}
