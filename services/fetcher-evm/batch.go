package fetcherevm

import (
	"context"
)

// Rung 4: JSON-RPC batches. Their elements may be executed by different nodes behind one address, so every one names the
// block, and each batch begins with what proves the chain.

// guards are the elements that every batch of the reading begins with: the chain id, and where blocks are named by number
// the header, since a number is another block on another fork.
func (r *reading) guards() []request {
	if r.pin.byHash {
		return []request{chainIDRequest()}
	}
	return []request{chainIDRequest(), headerRequest(r.pin.block)}
}

// guarded judges the answers to [reading.guards]. Nothing may be used of an answer that fails it.
func (r *reading) guarded(replies []reply) *failure {
	if f := r.node.ofChain(replies[0]); f != nil {
		return f
	}
	if r.pin.byHash {
		return nil
	}
	block, f := readHeader(replies[1])
	if f == nil && block != r.pin.header {
		f = &failure{class: lagging, text: "the block is not the one that it was: the chain was reorganised, or another node answered"}
	}
	return f
}

// batches reads the calls in batches of the endpoint's size, or alone where it takes none. It ends early with the failure
// after which the endpoint should not be asked for more; calls that have no outcome then were not answered.
func (r *reading) batches(ctx context.Context, calls []call) *failure {
	overhead := len(r.guards())
	for len(calls) > 0 {
		room := r.node.sizes.now() - overhead
		if room < 1 {
			return r.single(ctx, calls)
		}
		n := min(room, len(calls))
		again, f := r.chunk(ctx, calls[:n])
		calls = calls[n:]
		switch {
		case f == nil:
		case f.class == oversized:
			r.node.sizes.lower((n + overhead) / 2)
			f = r.batches(ctx, again)
		case f.class == unsupported:
			r.node.sizes.lower(1)
			f = r.single(ctx, again)
		case f.class == overlong:
			f = r.fewer(ctx, again, n)
		}
		if f != nil {
			return f
		}
	}
	return nil
}

// fewer asks again for calls of which n together had an answer that is too large: in halves, down to the one token that
// makes it so. What others have in common with it is only the request, so nothing is learnt about the endpoint.
func (r *reading) fewer(ctx context.Context, calls []call, n int) *failure {
	switch {
	case len(calls) == 1:
		return r.single(ctx, calls)
	case len(calls) < n:
		return r.batches(ctx, calls)
	}
	if f := r.batches(ctx, calls[:n/2]); f != nil {
		return f
	}
	return r.batches(ctx, calls[n/2:])
}

// chunk reads the calls in one request. With a failure come the calls that it left without an outcome.
func (r *reading) chunk(ctx context.Context, calls []call) (again []call, failed *failure) {
	requests := r.guards()
	overhead := len(requests)
	for _, c := range calls {
		requests = append(requests, c.request(r.pin.block, r.gas))
	}
	replies, f := r.node.batch(ctx, requests)
	if f == nil {
		f = r.guarded(replies[:overhead])
	}
	if f != nil {
		return calls, f
	}
	var size, end *failure
	failures := 0
	for i, c := range calls {
		a := c.answer(replies[overhead+i])
		switch {
		case a.failed != nil && (a.failed.class == overlong || a.failed.class == oversized):
			again, size = append(again, c), a.failed
		case a.failed != nil:
			r.fail(c, a.failed)
			if failures++; a.failed.ends() {
				end = a.failed
			}
		case a.code != "":
			r.suspects = append(r.suspects, suspect{c, a.code})
		default:
			r.settle(c, a, r.byBatch)
		}
	}
	// One element may fail through its token alone; that must not cost the calls that come after it. A limit is everybody's.
	if end != nil && (failures == len(calls) || end.class == limited || end.class == barred) {
		return again, end
	}
	return again, size
}
