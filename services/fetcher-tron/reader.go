package fetchertron

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/service"
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

// NewReader gives the reader of one chain after a first check of its endpoints, without the watch that [Run] keeps over them: it is
// for benches, which are over before anything changes. Its connections end with ctx. Config.Chains and Config.NATS are not used.
func NewReader(ctx context.Context, config Config, c chain.Config, process service.Process) (fetch.Reader, error) {
	f, err := newFleet(config, c, process)
	if err != nil {
		return nil, fmt.Errorf("chain %s: %w", c.Name, err)
	}
	context.AfterFunc(ctx, f.close)
	f.round(ctx)
	return &reader{fleet: f, calls: config.Calls}, nil
}

// Read gives one outcome per row. Rows that an endpoint fails go on to the next, while the chain's retry budget lasts; those
// that none could serve come back as endpoint errors.
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
	at := &reading{reader: r, node: r.fleet.nodes[member], began: time.Now().UTC(), outcomes: outcomes}
	for _, c := range calls {
		outcomes[c.row] = fetch.Outcome{}
	}
	failed := at.readAll(ctx, slices.Clone(calls))
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
		if at.last.class == unsupported {
			at.node.doubt()
		}
	}
	for route, rows := range at.values {
		if rows > 0 {
			r.fleet.metrics.rows.WithLabelValues(rung(route).String()).Add(float64(rows))
		}
	}
	return left
}

// readAll reads the calls at the endpoint, up to the failure after which it should not be asked for more.
func (r *reading) readAll(ctx context.Context, calls []call) *failure {
	if r.tip = r.fleet.pool.Tip(); r.tip.Height == 0 {
		if f := r.open(ctx); f != nil {
			return f
		}
	}
	byToken(calls)
	calls, f := r.checkDecimals(ctx, calls)
	if f != nil {
		return f
	}
	together, apart := r.fleet.tokens.divide(calls)
	if f := r.read(ctx, together); f != nil {
		return f
	}
	if f := r.confirm(ctx); f != nil {
		return f
	}
	return r.single(ctx, apart)
}

// reading is one go at one endpoint.
type reading struct {
	*reader
	node *node
	// began is when the reading did. from is the newest block that the endpoint told of before the single calls that come next, none before
	// the first of them, and asked the time just before that.
	began    time.Time
	from     block
	asked    time.Time
	tip      upstream.Tip
	outcomes []fetch.Outcome
	// probing says that what is read is compared and not used: the node may be the first to tell of a height.
	probing bool
	// avoid are the rungs that failed this reading.
	avoid perRung[bool]
	// suspects are the rows that a request of many gave an error of their own.
	suspects []suspect
	// proofs are those of the upper rungs: rows of one rung and height share theirs. values is how many values each rung gave.
	proofs map[place]*fetch.Proof
	values perRung[int]
	// last is the last failure that a row was given.
	last *failure
}

// open finds where the endpoint stands, makes sure of the chain of its connection, and holds the height against what the pool has
// agreed on: no node alone can say that the chain is further.
func (r *reading) open(ctx context.Context) *failure {
	asked := time.Now().UTC()
	from, f := r.node.head(ctx)
	if f != nil {
		return f
	}
	if f = r.node.ofChain(ctx, from.over); f != nil {
		return f
	}
	if r.tip.Height == 0 {
		r.tip = r.fleet.pool.Tip()
	}
	if f = r.current(from.number); f != nil {
		return f
	}
	r.from, r.asked = from, asked
	return nil
}

// current refuses the height of a node that lags, as one of several behind an address may, besides one that cannot be.
func (r *reading) current(height int64) *failure {
	if behind := r.tip.Height - height; behind > mostBehind && !r.probing {
		return &failure{class: lagging, text: fmt.Sprintf("block %d is %d behind what the endpoints agree on", height, behind)}
	}
	return r.bounded(height)
}

// bounded refuses a height that the chain cannot have reached by what the pool has agreed on.
func (r *reading) bounded(height int64) *failure {
	if r.probing {
		return nil
	}
	if bound := r.tip.Bound(time.Now(), r.fleet.chain.HeightSlack, r.fleet.chain.BlockTime); height > bound {
		return &failure{class: ahead, text: fmt.Sprintf("block %d is above %d, the most that the endpoints' agreed tip %d allows", height, bound, r.tip.Height)}
	}
	return nil
}

// place is where values of the upper rungs stand.
type place struct {
	at     rung
	height int64
}

// bulkProof is that of values which a request on one of the upper rungs gave.
func (r *reading) bulkProof(at rung, height int64, parent string) *fetch.Proof {
	if r.proofs == nil {
		r.proofs = map[place]*fetch.Proof{}
	}
	p := r.proofs[place{at, height}]
	if p == nil {
		p = r.proof(at, height, r.began)
		p.Parent = parent
		r.proofs[place{at, height}] = p
	}
	return p
}

// proof is that of values which stand at the height, or a little above.
func (r *reading) proof(at rung, height int64, began time.Time) *fetch.Proof {
	return &fetch.Proof{Endpoint: r.node.member.Name(), Route: at.String(), Height: height, Finality: r.fleet.chain.Finality.String(),
		ObservedAt: began, Tip: r.tip.Height, Agree: r.tip.Agree}
}

// value sets a row's balance, with a warning when nobody can say how many decimals it has.
func (r *reading) value(c call, raw string, proof *fetch.Proof) {
	r.values[rungOf(proof)]++
	r.outcomes[c.row] = fetch.Outcome{Raw: raw, Proof: proof, Err: r.fleet.tokens.contradicts(c)}
}

// settle sets what a row's answer means.
func (r *reading) settle(c call, a answer, proof *fetch.Proof) {
	switch {
	case a.failed != nil:
		r.fail(c, a.failed)
	case a.code != "":
		r.outcomes[c.row] = fetch.RowError(a.code, r.fleet.clean(a.text))
	default:
		r.value(c, a.raw, proof)
	}
}

// fail gives a row the error of its endpoint.
func (r *reading) fail(c call, f *failure) {
	r.last = f
	r.outcomes[c.row] = fetch.EndpointError(f.code(), r.fleet.clean(r.node.member.Name()+": "+f.text))
}
