package fetcherevm

import (
	"context"
	"fmt"
	"runtime/debug"

	"golang.org/x/sync/errgroup"
)

// round checks all endpoints side by side, so that their heads are of one moment, and reports what can be used.
func (f *fleet) round(ctx context.Context) {
	var group errgroup.Group
	for _, n := range f.nodes {
		if n.member.Paused() {
			continue
		}
		group.Go(func() error { n.checkSafely(ctx); return nil })
	}
	_ = group.Wait() // checks report to the pool
	f.report()
}

// checkSafely is [node.check], of which a panic is the endpoint's failure: whatever a node answered, it must not end the process, and with
// it every other chain.
func (n *node) checkSafely(ctx context.Context) {
	defer func() {
		if p := recover(); p != nil {
			n.fleet.log.Error().Str("endpoint", n.member.Name()).Str("panic", n.fleet.clean(fmt.Sprint(p))).Bytes("stack", debug.Stack()).Msg("check panicked")
			n.blame(garbled("the check panicked: %v", p))
		}
	}()
	n.check(ctx)
}

// check asks an endpoint for its chain and its head, and admits it when both are as they should be. Whatever fails is told to the
// pool or, when it says that the endpoint must not be used, puts it in quarantine.
func (n *node) check(ctx context.Context) {
	failed := n.checkChain(ctx)
	var head header
	if failed == nil {
		head, failed = n.head(ctx)
	}
	if failed == nil && n.fleet.chain.Finality.Tag != "latest" {
		_, failed = n.tagged(ctx)
	}
	if failed == nil {
		failed = n.probe(ctx, head)
	}
	if failed != nil {
		n.blame(failed)
		return
	}
	if n.member.Admit() {
		n.fleet.log.Info().Str("endpoint", n.member.Name()).Int64("height", head.number).Bool("by_hash", n.takesHash()).
			Str("route", n.ladder.from(override, perRung[bool]{}).String()).Msg("endpoint is in use")
	}
	n.member.Saw(head.number) // a head that was told in quarantine did not count
}
