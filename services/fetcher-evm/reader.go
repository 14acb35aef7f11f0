package fetcherevm

import (
	"context"
	"fmt"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/service"
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

// NewReader gives the reader of one chain after a first check of its endpoints, without the watch that [Run] keeps over them: it is
// for benches, which are over before anything changes. Config.Chains and Config.NATS are not used.
func NewReader(ctx context.Context, config Config, c chain.Config, process service.Process) (fetch.Reader, error) {
	f, err := newFleet(config, c, process)
	if err != nil {
		return nil, fmt.Errorf("chain %s: %w", c.Name, err)
	}
	f.round(ctx)
	return &reader{fleet: f, gas: config.Gas, maxGas: config.MaxGas}, nil
}

// Read gives one outcome per row. Rows that an endpoint fails go on to the next, while the chain's retry budget lasts; those
// that none could serve come back as endpoint errors.
func (r *reader) Read(ctx context.Context, rows []fetch.Row, atLeast int64) []fetch.Outcome {
	calls, outcomes := plan(rows)
	stored := atLeast
	if atLeast > 0 {
		atLeast += r.fleet.chain.Finality.Lag // where the head must be for the block to be there
	}
	var tried []*upstream.Endpoint
	for len(calls) > 0 && len(tried) < tries && (len(tried) == 0 || ctx.Err() == nil) {
		member, err := r.fleet.pool.Pick(atLeast, tried...)
		if err != nil {
			if len(tried) == 0 {
				none := fetch.Unavailable(err, r.fleet.clean) // once: in an outage this is all the work there is
				for _, c := range calls {
					outcomes[c.row] = none
				}
			}
			break
		}
		tried = append(tried, member)
		floor := int64(0)
		if len(tried) < tries && r.fleet.reaches(atLeast, tried) {
			floor = stored
		}
		calls = r.readAt(ctx, member, calls, outcomes, floor)
	}
	return outcomes
}

// readAt reads calls at one endpoint, unless its block is below floor, sets their outcomes and gives back those that the endpoint
// failed.
func (r *reader) readAt(ctx context.Context, member *upstream.Endpoint, calls []call, outcomes []fetch.Outcome, floor int64) []call {
	defer member.Release()
	at := &reading{reader: r, node: r.fleet.nodes[member], began: time.Now().UTC(), outcomes: outcomes, floor: floor}
	for _, c := range calls {
		outcomes[c.row] = fetch.Outcome{}
	}
	failed := at.readAll(ctx, calls)
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
		switch at.last.class {
		case lagging, pruned, strayed:
			at.node.unpin()
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
	if f := r.open(ctx); f != nil {
		return f
	}
	calls, f := r.admit(ctx, calls)
	if f != nil {
		return f
	}
	if calls, f = r.checkDecimals(ctx, calls); f != nil {
		return f
	}
	defer r.judge(calls)
	bulk, apart := r.fleet.tokens.divide(calls)
	if f = r.read(ctx, bulk); f != nil {
		return f
	}
	if f = r.confirm(ctx); f != nil {
		return f
	}
	r.best = max(r.best, batch)
	if f = r.read(ctx, apart); f != nil {
		return f
	}
	return r.confirm(ctx)
}

// reading is one go at one endpoint, at one block.
type reading struct {
	*reader
	node     *node
	began    time.Time
	pin      *pin
	tip      upstream.Tip
	outcomes []fetch.Outcome
	// floor is the height where a row stands already and that another endpoint has reached, 0 when there is no such other.
	floor int64
	// best is the best rung that this reading may use, and avoid are those that failed it.
	best  rung
	avoid perRung[bool]
	// stumbles counts structural failures, spoilt is the largest request that something in it spoilt; by rung.
	stumbles, spoilt perRung[int]
	// splits counts the requests that were divided, culprits the tokens that were found to be why.
	splits, culprits int
	// suspects are the rows that a request gave an error of their own, burnt those whose tokens took all their gas in a scan.
	suspects []suspect
	burnt    []call
	// last is the last failure that a row was given.
	last *failure
	// proofs are those of the routes, values how many values each gave. Rows of one route share their proof.
	proofs perRung[*fetch.Proof]
	values perRung[int]
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
	if r.pin.number < r.floor { // such values would be stale; where nobody else is further they at least free their leases
		return &failure{class: lagging, text: fmt.Sprintf("block %d is below %d, where a row stands that is asked for", r.pin.number, r.floor)}
	}
	return nil
}

// proof is where the values of a route stand.
func (r *reading) proof(at rung) *fetch.Proof {
	if r.proofs[at] == nil {
		r.proofs[at] = &fetch.Proof{Endpoint: r.node.member.Name(), Route: at.String(), Height: r.pin.number, Parent: r.pin.parent,
			Finality: r.fleet.chain.Finality.String(), ObservedAt: r.began, Tip: r.tip.Height, Agree: r.tip.Agree}
	}
	return r.proofs[at]
}

// value sets a row's balance, with a warning when nobody can say how many decimals it has.
func (r *reading) value(c call, raw string, at rung) {
	r.values[at]++
	o := fetch.Outcome{Raw: raw, Proof: r.proof(at)}
	if !c.native {
		o.Err = r.fleet.tokens.decimals.Contradicts(c.token, c.decimals)
	}
	r.outcomes[c.row] = o
}

// settle sets what a row's answer means.
func (r *reading) settle(c call, a answer, at rung) {
	switch {
	case a.failed != nil:
		r.fail(c, a.failed)
	case a.code != "":
		r.outcomes[c.row] = fetch.RowError(a.code, r.fleet.clean(a.text))
	default:
		r.value(c, a.raw, at)
	}
}

// fail gives a row the error of its endpoint.
func (r *reading) fail(c call, f *failure) {
	r.last = f
	r.outcomes[c.row] = fetch.EndpointError(f.code(), r.fleet.clean(r.node.member.Name()+": "+f.text))
}
