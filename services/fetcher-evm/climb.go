package fetcherevm

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
)

// mostSplits bounds how many requests of one reading are divided because something in them spoils the whole. What costs more is no
// token's doing, and is read on the next rung.
const mostSplits = 64

// read reads the calls on the best rung that the endpoint has, in requests of the size that was learnt for it. It ends early
// with the failure after which the endpoint should not be asked for more; calls that have no outcome then were not answered.
//
// What becomes of a request:
//
//	answered ────────────────► values, suspects; the size may grow
//	answered in part ────────► the tail is sent again (no failure)
//	too much ────────────────► the size halves, sent again in parts
//	spoilt (rungs 3, 4) ─────► divided by token, then by halves, down to the token that does it
//	the node cannot do it ───► sent again, and after the second time on the next rung
//	anything else ───────────► the endpoint's failure: the rows go elsewhere
func (r *reading) read(ctx context.Context, calls []call) *failure {
	if len(calls) == 0 {
		return nil
	}
	for pieces := [][]call{calls}; len(pieces) > 0; {
		last := len(pieces) - 1
		piece := pieces[last]
		pieces = pieces[:last]
		at := r.node.ladder.from(r.best, r.avoid)
		room := 0
		if at < single {
			room = r.node.ladder.sizes[at].now() - r.overhead(at)
		}
		if room < 1 {
			if f := r.single(ctx, piece); f != nil {
				return f
			}
			continue
		}
		n := share(len(piece), room)
		if n < len(piece) {
			pieces = append(pieces, piece[n:])
		}
		left, f := r.request(ctx, at, piece[:n])
		if f != nil {
			return f
		}
		pieces = append(pieces, left...)
	}
	r.unspoil()
	return nil
}

// overhead is how many of a request's things are not balances.
func (r *reading) overhead(at rung) int {
	if at == batch {
		return len(r.guards())
	}
	return 0
}

// answered is what came of one request: the calls without an outcome yet, and the failure that left them so, nil when the node
// merely did not get to them.
type answered struct {
	left   []call
	took   time.Duration
	failed *failure
}

// request reads the calls in one request and judges what came of it. It gives the pieces that are still to be read.
func (r *reading) request(ctx context.Context, at rung, calls []call) ([][]call, *failure) {
	var a answered
	switch at {
	case multicall:
		a = r.multicall(ctx, calls)
	case batch:
		a = r.batch(ctx, calls)
	default:
		a = r.scan(ctx, at, calls, r.gas)
	}
	size, n := r.node.ladder.sizes[at], len(calls)
	f := a.failed
	switch {
	case f == nil && len(a.left) > 0:
		r.node.ladder.worked(at)
		size.reached(n - len(a.left))
		return [][]call{a.left}, nil
	case f == nil:
		r.node.ladder.worked(at)
		size.worked(n+r.overhead(at), a.took)
		return nil, nil
	case f.class == slow:
		if ctx.Err() == nil { // else it was our time that was over, not the node's
			size.strained(n + r.overhead(at))
		}
		return nil, f
	case r.spoils(at, f):
		return r.divide(ctx, at, a.left, n)
	case f.class == oversized || at.scans() && (f.class == overlong || f.class == burnt):
		size.broke(n + r.overhead(at))
		if n > 1 || at == batch {
			return [][]call{a.left}, nil
		}
	case f.structural():
	default:
		return nil, f
	}
	r.stumble(at, f)
	return [][]call{a.left}, nil
}

// stumble notes that the node could not do what the rung takes. The second time this reading goes on without the rung,
// whatever others saw of it.
func (r *reading) stumble(at rung, f *failure) {
	r.node.stumbled(at, f)
	r.stumbles[at]++
	r.avoid[at] = r.stumbles[at] >= fallAfter
}

// spoils reports whether the failure may be one token's: of a Multicall3, where a call may take all the gas and all the memory,
// and of a batch whose answers together are too large.
func (r *reading) spoils(at rung, f *failure) bool {
	switch at {
	case multicall:
		return f.class == burnt || f.class == reverted || f.class == overlong
	case batch:
		return f.class == overlong
	}
	return false
}

// witnesses is how many rows, picked at random, must end in one error for it to be their token's: one may be its wallet's own trouble.
const witnesses = 2

// divide gives the parts of a request of n calls that something in it spoilt. A token that does so on its own is asked for the
// balances of its witnesses alone: where all are one error, it is the error of all its rows.
func (r *reading) divide(ctx context.Context, at rung, calls []call, n int) ([][]call, *failure) {
	r.spoilt[at] = max(r.spoilt[at], n)
	if r.splits++; r.splits > mostSplits {
		r.avoid[at] = true
		return [][]call{calls}, nil
	}
	if len(calls) < n {
		return [][]call{calls}, nil // part of it was answered
	}
	if !fetch.Alike(calls[0], calls[n-1]) {
		first, second := fetch.Halves(calls)
		return [][]call{second, first}, nil
	}
	asked := shuffle(calls, witnesses)
	answers, f := r.ask(ctx, calls[:asked])
	if f != nil {
		return nil, f
	}
	if guilty(answers) {
		r.culprits++
		for _, c := range calls {
			r.settle(c, answers[0], single)
		}
		return nil, nil
	}
	for i, a := range answers {
		r.settle(calls[i], a, single)
	}
	switch rest := calls[asked:]; len(rest) {
	case 0:
		return nil, nil
	case 1:
		return [][]call{rest}, nil
	default:
		first, second := fetch.Halves(rest)
		return [][]call{second, first}, nil
	}
}

// shuffle brings up to most calls to the front, whichever, and gives how many.
func shuffle(calls []call, most int) int {
	most = min(most, len(calls))
	for i := range most {
		k := i + rand.IntN(len(calls)-i)
		calls[i], calls[k] = calls[k], calls[i]
	}
	return most
}

// guilty reports whether all answers are one error of the row's own.
func guilty(answers []answer) bool {
	for _, a := range answers {
		if a.code == "" || a.code != answers[0].code {
			return false
		}
	}
	return true
}

// unspoil learns a size from requests that were divided when no token was to blame.
func (r *reading) unspoil() {
	for at, n := range r.spoilt {
		if n > 0 && r.culprits == 0 && rung(at) == multicall {
			r.node.ladder.sizes[at].broke(n)
		}
	}
}
