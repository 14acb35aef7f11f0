package fetchertron

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// mostBehind is how many blocks an endpoint may be behind the best before it is taken out: a minute.
const mostBehind = 20

// checkTimeout bounds the check of an endpoint, whose calls wait for its budget like all others.
const checkTimeout = 10 * time.Second

// round checks all endpoints side by side, so that their heads are of one moment, takes those out that lag, and reports what can be used.
func (f *fleet) round(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	var mu sync.Mutex // guards heads
	heads := map[*node]block{}
	var group errgroup.Group
	for _, n := range f.nodes {
		if n.member.Paused() {
			continue
		}
		group.Go(func() error {
			if head, ok := n.checkSafely(ctx); ok {
				mu.Lock()
				defer mu.Unlock()
				heads[n] = head
			}
			return nil
		})
	}
	_ = group.Wait() // checks report to the pool
	best := f.best(heads)
	for n, head := range heads {
		n.admit(head, best)
	}
	f.report()
}

// best is the highest of the heads that the others make plausible: a node that is far ahead of all of them must not be what they are
// measured by.
func (f *fleet) best(heads map[*node]block) int64 {
	var numbers []int64
	for _, head := range heads {
		numbers = append(numbers, head.number)
	}
	slices.Sort(numbers)
	for len(numbers) > 1 && numbers[len(numbers)-1] > numbers[(len(numbers)-1)/2]+f.chain.HeightSlack {
		numbers = numbers[:len(numbers)-1]
	}
	if len(numbers) == 0 {
		return 0
	}
	return numbers[len(numbers)-1]
}

// checkSafely is [node.check], of which a panic is the endpoint's failure: whatever a node answered, it must not end the process, and with
// it every other chain.
func (n *node) checkSafely(ctx context.Context) (head block, ok bool) {
	defer func() {
		if p := recover(); p != nil {
			n.fleet.log.Error().Str("endpoint", n.member.Name()).Str("panic", n.fleet.clean(fmt.Sprint(p))).Bytes("stack", debug.Stack()).Msg("check panicked")
			n.blame(garbled("the check panicked: %v", p))
			ok = false
		}
	}()
	return n.check(ctx)
}

// check asks an endpoint for its chain, its head and what it can do. Whatever fails is told to the pool or, when it says that the
// endpoint must not be used, puts it in quarantine.
func (n *node) check(ctx context.Context) (block, bool) {
	_, failed := n.checkChain(ctx)
	var head block
	if failed == nil {
		head, failed = n.head(ctx)
	}
	if failed == nil {
		failed = n.ofChain(ctx, head.over)
	}
	if failed == nil {
		failed = n.probe(ctx, head)
	}
	switch {
	case failed == nil:
		return head, true
	case failed.class == unsupported, failed.class == lagging:
		n.quarantine(failed)
	default:
		n.blame(failed)
	}
	return block{}, false
}

// admit puts an endpoint that was checked into use, or takes it out because it stands still or lags: its values would be true, and of
// long ago.
func (n *node) admit(head block, best int64) {
	age := time.Since(head.at)
	switch {
	case best-head.number > mostBehind:
		n.quarantine(&failure{class: lagging, text: fmt.Sprintf("block %d is %d behind the best endpoint's", head.number, best-head.number)})
	case age > n.fleet.headAge:
		n.quarantine(&failure{class: lagging, text: fmt.Sprintf("block %d is %v old by this machine's clock, %v are allowed", head.number, age.Round(time.Second), n.fleet.headAge)})
	default:
		if n.member.Admit() {
			n.fleet.log.Info().Str("endpoint", n.member.Name()).Int64("height", head.number).Bool("constant", n.can().constant).Msg("endpoint is in use")
		}
		n.member.Saw(head.number) // a head that was told in quarantine did not count
	}
}
