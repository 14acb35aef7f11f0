package fetchertron

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

// reader reads the balances of one chain: the fetch.Reader of the TRON family.
type reader struct {
	fleet *fleet
	// calls is how many calls of one reading are under way at once.
	calls int
}

// Read gives one outcome per row. Rows that an endpoint fails go on to the next; those that none could serve come back as
// endpoint errors.
func (r *reader) Read(ctx context.Context, rows []fetch.Row, atLeast int64) []fetch.Outcome {
	calls, outcomes := plan(rows)
	if atLeast > 0 {
		atLeast += r.fleet.slack // where the head must be for a value to be labelled with that height
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
	at := &reading{reader: r, node: r.fleet.nodes[member], outcomes: outcomes}
	for _, c := range calls {
		outcomes[c.row] = fetch.Outcome{}
	}
	failed := at.open(ctx)
	if failed == nil {
		failed = at.single(ctx, calls)
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
	if len(left) > 0 {
		at.node.blame(at.last)
		if at.last.class == unsupported {
			at.node.doubt()
		}
	}
	return left
}

// reading is one go at one endpoint.
type reading struct {
	*reader
	node *node
	// from is the newest block that the endpoint told of before what is read next, and began the time just before that.
	from     block
	began    time.Time
	tip      upstream.Tip
	outcomes []fetch.Outcome
	// last is the last failure that a row was given.
	last *failure
}

// open finds where the endpoint stands, makes sure of the chain of its connection, and holds the height against what the pool has
// agreed on: no node alone can say that the chain is further.
func (r *reading) open(ctx context.Context) *failure {
	r.began = time.Now().UTC()
	var f *failure
	if r.from, f = r.node.head(ctx); f != nil {
		return f
	}
	if f = r.node.ofChain(ctx, r.from.over); f != nil {
		return f
	}
	r.tip = r.fleet.pool.Tip()
	return r.bounded(r.from.number)
}

// bounded refuses a height that the chain cannot have reached by what the pool has agreed on.
func (r *reading) bounded(height int64) *failure {
	if bound := r.tip.Bound(time.Now(), r.fleet.chain.HeightSlack, r.fleet.chain.BlockTime); height > bound {
		return &failure{class: ahead, text: fmt.Sprintf("block %d is above %d, the most that the endpoints' agreed tip %d allows", height, bound, r.tip.Height)}
	}
	return nil
}

// proof is that of values which stand at the height or above.
func (r *reading) proof(route string, height int64) *fetch.Proof {
	return &fetch.Proof{Endpoint: r.node.member.Name(), Route: route, Height: height, Finality: r.fleet.chain.Finality.String(),
		ObservedAt: r.began, Tip: r.tip.Height, Agree: r.tip.Agree}
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
