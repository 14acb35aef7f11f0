package fetcherevm

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/balance-sync/balance-sync/shared/upstream"
)

// node is one endpoint: the way to it, its place in the pool, and what was learnt about it. It may be used concurrently.
type node struct {
	fleet     *fleet
	member    *upstream.Endpoint
	transport *transport
	sizes     sizes
	// ids number the requests, so that an answer to an earlier one is noticed.
	ids atomic.Uint64

	mu     sync.Mutex  // guards below
	pinned *resolution // of the block to read at, nil before the first
	byHash bool        // the node reads at the block that a hash names, and at no other
	probed time.Time   // when that was found out, zero for not
}

// call asks for one thing.
func (n *node) call(ctx context.Context, r request) reply {
	id := n.ids.Add(1)
	body, f := n.exchange(ctx, r.append(nil, id))
	answer := reply{failed: f}
	if f == nil {
		answer = decodeSingle(body, id)
	}
	n.judge("single", answer.failed)
	return answer
}

// batch asks for many things in one request and gives a reply for each, or the failure of the whole.
func (n *node) batch(ctx context.Context, requests []request) ([]reply, *failure) {
	count := uint64(len(requests))
	first := n.ids.Add(count) - count + 1
	body, f := n.exchange(ctx, encodeBatch(requests, first))
	var replies []reply
	if f == nil {
		replies, f = decodeBatch(body, first, len(requests))
	}
	n.judge("batch", f)
	return replies, f
}

// exchange sends a body within the endpoint's budget and concurrency.
func (n *node) exchange(ctx context.Context, body []byte) ([]byte, *failure) {
	end, err := n.member.Begin(ctx)
	if err != nil {
		class := limited
		if errors.Is(ctx.Err(), context.Canceled) {
			class = stopped
		}
		return nil, &failure{class: class, text: err.Error(), blamed: true}
	}
	defer end()
	started := time.Now()
	defer func() { n.fleet.metrics.took.WithLabelValues(n.member.Name()).Observe(time.Since(started).Seconds()) }()
	return n.transport.post(ctx, body)
}

// judge counts a request and tells the pool what came of it. A call that the token refused was answered well.
func (n *node) judge(kind string, f *failure) {
	outcome := "ok"
	if f != nil {
		outcome = string(f.class)
	}
	n.fleet.metrics.requests.WithLabelValues(n.member.Name(), kind, outcome).Inc()
	if f == nil || f.class == reverted || f.class == burnt {
		n.member.Succeeded()
		return
	}
	n.blame(f)
}

// blame tells the pool of a failure that is the node's fault, once.
func (n *node) blame(f *failure) {
	what := handlings[f.class].pool
	if f.blamed || what != fails && what != rests && what != isBarred {
		return
	}
	f.blamed = true
	fault := upstream.Fault{Code: f.code(), Text: n.fleet.clean(f.text)}
	var out time.Duration
	switch what {
	case rests:
		out = n.member.Limited(fault, f.pause)
	case isBarred:
		out = n.member.Failed(fault, upstream.LongestPause)
	default:
		out = n.member.Failed(fault, f.pause)
	}
	if out > 0 {
		n.fleet.log.Warn().Str("endpoint", n.member.Name()).Str("class", string(f.class)).Str("reason", fault.Text).Dur("for", out).Msg("endpoint is left alone")
	}
}

// quarantine takes the endpoint out until a check admits it, and raises the alarm.
func (n *node) quarantine(f *failure) {
	n.mu.Lock()
	n.pinned, n.probed = nil, time.Time{} // whatever comes back may be another node
	n.mu.Unlock()
	text := n.fleet.clean(f.text)
	if n.member.Quarantine(upstream.Fault{Code: f.code(), Text: text}) {
		n.fleet.metrics.quarantines.WithLabelValues(n.member.Name(), f.code()).Inc()
		n.fleet.log.Error().Str("endpoint", n.member.Name()).Str("code", f.code()).Str("reason", text).Msg("endpoint is in quarantine")
		n.fleet.report()
	}
}
