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

// batch reads the calls in one request. Of an answer that is too large it keeps what it got.
func (r *reading) batch(ctx context.Context, calls []call) answered {
	requests := r.guards()
	overhead := len(requests)
	for _, c := range calls {
		requests = append(requests, c.request(r.pin.block, r.gas))
	}
	replies, took, f := r.node.batch(ctx, requests)
	if f == nil {
		f = r.guarded(replies[:overhead])
	}
	if f != nil {
		return answered{calls, took, f}
	}
	var again []call
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
			r.suspects = append(r.suspects, suspect{c, a.code, false})
		default:
			r.value(c, a.raw, batch)
		}
	}
	// One element may fail through its token alone; that must not cost the calls that come after it. A limit is everybody's.
	if end != nil && (failures == len(calls) || end.class == limited || end.class == barred) {
		size = end
	}
	return answered{again, took, size}
}

// many asks for things in batches, or one by one at an endpoint that takes none, each behind the guards. It gives the replies up to
// the failure that it ends with.
func (r *reading) many(ctx context.Context, requests []request) ([]reply, *failure) {
	var replies []reply
	for len(requests) > len(replies) {
		guards, rest := r.guards(), requests[len(replies):]
		room := r.node.ladder.sizes[batch].now() - len(guards)
		if r.node.ladder.from(batch, r.avoid) != batch || room < 1 {
			more, f := r.oneByOne(ctx, append(rest, guards...))
			if f == nil {
				f = r.guarded(more[len(rest):])
			}
			if f != nil {
				return replies, f
			}
			return append(replies, more[:len(rest)]...), nil
		}
		n := min(room, len(rest))
		got, _, f := r.node.batch(ctx, append(guards, rest[:n]...))
		if f == nil {
			if f = r.guarded(got[:len(guards)]); f != nil {
				return replies, f
			}
			r.node.ladder.worked(batch)
			replies = append(replies, got[len(guards):]...)
			continue
		}
		switch {
		case f.class == oversized || f.class == overlong && n > 1:
			r.node.ladder.sizes[batch].broke(n + len(guards))
		case f.structural():
			r.stumble(batch, f)
		default:
			return replies, f
		}
	}
	return replies, nil
}

// oneByOne asks for things one after the other, up to a failure after which it is pointless.
func (r *reading) oneByOne(ctx context.Context, requests []request) ([]reply, *failure) {
	replies := make([]reply, len(requests))
	for i, q := range requests {
		if replies[i] = r.node.call(ctx, q); replies[i].failed != nil && replies[i].failed.ends() {
			return nil, replies[i].failed
		}
	}
	return replies, nil
}
