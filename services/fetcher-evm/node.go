package fetcherevm

import (
	"context"
	"errors"
	"fmt"
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
	ladder    *ladder
	// ids number the requests, so that an answer to an earlier one is noticed.
	ids atomic.Uint64

	mu      sync.Mutex  // guards below
	pinned  *resolution // of the block to read at, nil before the first
	byHash  bool        // the node reads at the block that a hash names, and at no other
	climbed bool        // the rungs were found out at least once
	probed  time.Time   // when that and the rungs were found out, zero for not
}

// call asks for one thing.
func (n *node) call(ctx context.Context, r request) reply {
	id := n.ids.Add(1)
	body, _, f := n.exchange(ctx, r.append(nil, id), n.fleet.config.MaxAnswer)
	answer := reply{failed: f}
	if f == nil {
		answer = decodeSingle(body, id)
	}
	n.judge("single", answer.failed)
	return answer
}

// batch asks for many things in one request and gives a reply for each, or the failure of the whole.
func (n *node) batch(ctx context.Context, requests []request) (replies []reply, took time.Duration, f *failure) {
	count := uint64(len(requests))
	first := n.ids.Add(count) - count + 1
	sent := encodeBatch(requests, first)
	if f = n.fits(sent, len(requests)); f != nil {
		return nil, 0, f
	}
	body, took, f := n.exchange(ctx, sent, n.fleet.config.MaxAnswer)
	if f == nil {
		replies, f = decodeBatch(body, first, len(requests))
	}
	n.judge(batch.String(), f)
	return replies, took, f
}

// run does an eth_call for rows balances and gives the bytes that it returned, of an answer of at most most bytes. params
// appends the call's parameters to a body with room for size bytes.
func (n *node) run(ctx context.Context, at rung, rows, size int, most int64, params func([]byte) []byte) (data []byte, took time.Duration, f *failure) {
	id := n.ids.Add(1)
	sent := append(params(appendHead(make([]byte, 0, size+96), id, "eth_call")), '}')
	if f = n.fits(sent, rows); f != nil {
		return nil, 0, f
	}
	body, took, f := n.exchange(ctx, sent, most)
	if f == nil {
		data, f = decodeData(body, id)
	}
	n.judge(at.String(), f)
	return data, took, f
}

// fits keeps a request for several things from being larger than nodes take: smaller ones are made of it. One thing alone is
// the node's to refuse.
func (n *node) fits(body []byte, things int) *failure {
	if len(body) <= n.fleet.config.MaxBody || things < 2 {
		return nil
	}
	return &failure{class: oversized, text: fmt.Sprintf("a request of %d bytes, %d are the most", len(body), n.fleet.config.MaxBody)}
}

// exchange sends a body within the endpoint's budget, and tells how long the endpoint took.
func (n *node) exchange(ctx context.Context, body []byte, most int64) ([]byte, time.Duration, *failure) {
	if err := n.member.Wait(ctx); err != nil {
		class := limited
		if errors.Is(ctx.Err(), context.Canceled) {
			class = stopped
		}
		return nil, 0, &failure{class: class, text: err.Error(), blamed: true}
	}
	started := time.Now()
	answer, f := n.transport.post(ctx, body, most)
	took := time.Since(started)
	n.fleet.metrics.took.WithLabelValues(n.member.Name()).Observe(took.Seconds())
	return answer, took, f
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

// shortestPause is how long an endpoint rests that is over its rate and does not say for how long.
const shortestPause = time.Second

// blame tells the pool of a failure that is the node's fault, once.
func (n *node) blame(f *failure) {
	pause := f.pause
	switch f.class {
	case limited:
		pause = max(pause, shortestPause)
	case barred:
		pause = upstream.LongestPause // only a person can help: asking again makes it worse
	case slow, down, garbage, ahead, strayed:
	default:
		return
	}
	if f.blamed {
		return
	}
	f.blamed = true
	text := n.fleet.clean(f.text)
	if out := n.member.Failed(upstream.Fault{Code: f.code(), Text: text}, pause); out > 0 {
		n.fleet.log.Warn().Str("endpoint", n.member.Name()).Str("class", string(f.class)).Str("reason", text).Dur("for", out).Msg("endpoint is left alone")
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

// stumbled notes a structural failure on a rung. The second in a row takes the endpoint down from it, and the next check finds
// out anew what the endpoint can do.
func (n *node) stumbled(at rung, f *failure) {
	if !n.ladder.stumbled(at) {
		return
	}
	n.mu.Lock()
	n.probed = time.Time{}
	n.mu.Unlock()
	to := n.showRung()
	n.fleet.metrics.demotions.WithLabelValues(n.member.Name(), at.String()).Inc()
	n.fleet.log.Warn().Str("endpoint", n.member.Name()).Str("from", at.String()).Str("to", to.String()).Str("class", string(f.class)).
		Str("reason", n.fleet.clean(f.text)).Msg("endpoint is read by another route")
}
