package fetchertron

import (
	"context"

	"github.com/balance-sync/balance-sync/shared/fetch"
)

// read reads the calls, which are in the order of tokens, on the best rung that the endpoint has. It ends early with the failure after which the endpoint should not be
// asked for more; what was read before it stays, since each request of the upper rungs proves itself.
func (r *reading) read(ctx context.Context, calls []call) *failure {
	for len(calls) > 0 {
		at := r.node.ladder.best(r.avoid)
		if at == single {
			return r.single(ctx, calls)
		}
		n := share(calls, r.node.ladder.sizes[at].now())
		if _, f := r.divide(ctx, at, calls[:n]); f != nil {
			return f
		}
		calls = calls[n:]
	}
	return nil
}

// divide reads the calls in one request, or in halves and halves of them when that is too much, down to the one call that makes it
// so. whole says that one request was enough. What the size of requests should be is only learnt where both halves of one that was
// too much were not: else it was something in it.
func (r *reading) divide(ctx context.Context, at rung, calls []call) (whole bool, failed *failure) {
	left, f := r.request(ctx, at, calls)
	sizes := r.node.ladder.sizes[at]
	switch {
	case f == nil && len(left) == 0:
		sizes.worked(weight(calls))
		return true, nil
	case f == nil: // a prefix, since the energy was used up: the next request has all of it again
		_, f = r.divide(ctx, at, left)
		return false, f
	case f.class == misfit:
		if r.avoid[at] = true; r.node.ladder.stumbled(at) {
			r.node.fell(at, f)
		}
		return false, r.read(ctx, calls)
	case !f.tooMuch():
		return false, f
	case len(calls) == 1:
		return false, r.single(ctx, calls)
	}
	r.fleet.metrics.splits.WithLabelValues(r.node.member.Name()).Inc()
	first, second := fetch.Halves(calls)
	firstWhole, f := r.divide(ctx, at, first)
	if f != nil {
		return false, f
	}
	secondWhole, f := r.divide(ctx, at, second)
	if firstWhole && secondWhole {
		sizes.broke(weight(calls))
	}
	return false, f
}

// request reads calls on a rung above the last. left are those that it did not get to.
func (r *reading) request(ctx context.Context, at rung, calls []call) (left []call, failed *failure) {
	if at == multicall {
		failed = r.multicall(ctx, calls)
	} else {
		left, failed = r.scan(ctx, at, calls)
	}
	if failed == nil {
		r.node.ladder.worked(at)
		r.node.member.Succeeded()
	}
	return left, failed
}
