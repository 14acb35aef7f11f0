package fetchertron

import (
	"bytes"
	"context"
	"sync/atomic"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
	"golang.org/x/sync/errgroup"
)

// Rung 5: a call for each balance, side by side on one connection, for endpoints that take nothing else, and as the arbiter of
// errors that may have been a bulk read's fault.
//
// Neither an account nor the return of a call says of which block it is. What says it is the view's newest block, asked for on the
// same connection before the calls and after them:
//
//	newest block ── calls, up to [span] ── block 0 ── newest block ── calls … (the block after these is the one before those)
//
// A node's view only moves on, so what it gives is of the block before or of a later one. Behind a balancer the node that gave the
// value may be another one, and behind: so the label is the lower of the two blocks, less the slack. Never too high;
// too low by the slack where there is one node only, for which the slack can be set to 0.

// span is how many calls stand between two looks at the height and the chain: what one failure can cost.
const span = 100

// mostHurts is how many calls of a span may get no answer before the node is taken for the cause.
const mostHurts = 3

// single reads the calls and settles them.
func (r *reading) single(ctx context.Context, calls []call) *failure {
	for len(calls) > 0 {
		n := min(len(calls), span)
		answers, proof, f := r.ask(ctx, calls[:n], r.askOne)
		for i, a := range answers {
			r.settle(calls[i], a, proof)
		}
		if f != nil {
			return f
		}
		calls = calls[n:]
	}
	return nil
}

// ask reads up to [span] calls and gives an answer for each with the proof that they share. With a failure the node should not be asked
// for more; there are no answers then, or those that were proven before it.
func (r *reading) ask(ctx context.Context, calls []call, one func(context.Context, call) answer) ([]answer, *fetch.Proof, *failure) {
	if r.from.number == 0 {
		if f := r.open(ctx); f != nil {
			return nil, nil, f
		}
	}
	answers, last := r.sideBySide(ctx, calls, one)
	if last != nil && last.ends() {
		return nil, nil, last
	}
	r.vouch(ctx, calls, answers)
	over, f := r.node.checkChain(ctx)
	if f != nil {
		return nil, nil, f
	}
	asked := time.Now().UTC()
	to, f := r.node.head(ctx)
	if f != nil {
		return nil, nil, f
	}
	if over != r.from.over || to.over != over {
		return nil, nil, &failure{class: moved, text: "the connection was replaced during the read"}
	}
	if to.number < r.from.number {
		r.node.apart(r.from.number - to.number)
	}
	height := min(r.from.number, to.number) - r.node.slack()
	if height < 1 {
		return nil, nil, &failure{class: lagging, text: "the chain has no block that is old enough to name"}
	}
	if f := r.bounded(height); f != nil {
		return nil, nil, f // the node lost its mind since the reading was opened
	}
	proof := r.proof(single, height, r.asked)
	r.from, r.asked = to, asked
	r.node.member.Succeeded()
	return answers, proof, last
}

// vouch makes sure that a node which does not have an account does have accounts: one that gives nothing for everybody, as a gateway or
// a node with a broken store may, would make everybody's balance zero. Another account of the same calls vouches for it, or else
// that of the block's producer, which the chain must have.
func (r *reading) vouch(ctx context.Context, calls []call, answers []answer) {
	vacant := false
	for i, a := range answers {
		if calls[i].native && a.raw != "" && !a.vacant {
			return
		}
		vacant = vacant || a.vacant
	}
	if !vacant {
		return
	}
	reply, over, f := request(ctx, r.node, "account", r.node.wallet.GetAccount, &core.Account{Address: r.from.witness})
	switch {
	case f != nil:
	case over != r.from.over:
		f = &failure{class: moved, text: "the connection was replaced during the read"}
	case len(r.from.witness) == 0 || !bytes.Equal(reply.GetAddress(), r.from.witness):
		f = garbled("the node has no accounts, not even that of block %d's producer", r.from.number)
	}
	for i := range answers {
		if f != nil && answers[i].vacant {
			answers[i] = answer{failed: f}
		}
	}
}

// sideBySide makes the calls, a few at a time, until one fails in a way that makes more of them pointless. Calls that were not made
// have its failure for an answer.
func (r *reading) sideBySide(ctx context.Context, calls []call, one func(context.Context, call) answer) ([]answer, *failure) {
	answers := make([]answer, len(calls))
	var end atomic.Pointer[failure]
	var hurt atomic.Int32
	var panicked atomic.Pointer[any]
	var group errgroup.Group
	group.SetLimit(max(r.calls, 1))
	for i, c := range calls {
		group.Go(func() error {
			defer func() {
				if p := recover(); p != nil {
					panicked.CompareAndSwap(nil, &p)
				}
			}()
			if f := end.Load(); f != nil {
				answers[i].failed = f
				return nil
			}
			answers[i] = one(ctx, c)
			if f := answers[i].failed; f != nil && (f.ends() || f.hurts() && hurt.Add(1) >= mostHurts) {
				end.CompareAndSwap(nil, f)
			}
			return nil
		})
	}
	_ = group.Wait() // none gives an error
	if p := panicked.Load(); p != nil {
		panic(*p) // in the goroutine of the reader, whose caller finds out which row it is
	}
	return answers, end.Load()
}

// askOne reads one balance. What would be the row's error is asked for twice: the error must be said twice.
func (r *reading) askOne(ctx context.Context, c call) answer {
	a := r.askConfirming(ctx, c)
	if a.code != "" && r.fleet.tokens.barred(c) == "" {
		a = r.askConfirming(ctx, c)
	}
	return a
}

// askConfirming reads one balance whose error, if it is one, was said before. A call that took all the node's time is made twice, and
// a token that does so in two readings is at fault and left alone for a while.
func (r *reading) askConfirming(ctx context.Context, c call) answer {
	if text := r.fleet.tokens.barred(c); text != "" {
		return answer{code: wire.CodeGasExceeded, text: "in quarantine: " + text}
	}
	a := r.askOnce(ctx, c)
	if a.failed != nil && a.failed.class == exhausted {
		a = r.askOnce(ctx, c)
	}
	switch {
	case a.failed == nil:
		r.fleet.tokens.cleared(c)
	case a.failed.class == exhausted && r.fleet.tokens.struck(c, r.strike(a.failed.text)):
		return answer{code: wire.CodeGasExceeded, text: a.failed.text}
	}
	return a
}

// strike is what a token's call has done to this reading's node.
func (r *reading) strike(text string) strike {
	usable := 0
	for _, s := range r.fleet.pool.States() {
		if s.Fault == nil {
			usable++
		}
	}
	return strike{by: r.node.member.Name(), alone: usable < 2, began: r.began, text: text}
}

// askOnce makes one call. An answer over another connection than the block's has no height.
func (r *reading) askOnce(ctx context.Context, c call) answer {
	var a answer
	var over link
	switch {
	case c.native && !r.node.can().account:
		return answer{failed: &failure{class: unsupported, text: "the node does not give accounts"}}
	case c.native:
		reply, from, f := request(ctx, r.node, "account", r.node.wallet.GetAccount, c.account())
		if f != nil {
			return answer{failed: f}
		}
		a, over = c.accountAnswer(reply), from
	case !r.node.can().constant:
		return answer{failed: &failure{class: unsupported, text: "the node does not run constant calls"}}
	default:
		reply, from, f := request(ctx, r.node, "constant", r.node.wallet.TriggerConstantContract, c.trigger())
		if f != nil {
			return answer{failed: f}
		}
		a, over = c.triggerAnswer(reply), from
	}
	if over != r.from.over {
		return answer{failed: &failure{class: moved, text: "the connection was replaced during the read"}}
	}
	return a
}
