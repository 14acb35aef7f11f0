package upstream

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// The breaker: an endpoint that failed tripAfter times in a row is left alone, at first for firstBreak, then for twice as
// long each time, then tried with one turn. The longest break bounds what an outage costs and how late its end is noticed.
const (
	tripAfter    = 2
	firstBreak   = 500 * time.Millisecond
	longestBreak = 10 * time.Second
)

// LongestPause is the most that a node's own wish to be left alone is granted: a Retry-After of a year is a mistake.
const LongestPause = 10 * time.Minute

// ShortestPause is how long an endpoint rests that is over its rate and does not say for how long.
const ShortestPause = time.Second

// Unchecked is the code of an endpoint that was never admitted.
const Unchecked = "unchecked"

// Fault is why an endpoint is not in use: a code for programs, a text for people.
type Fault struct{ Code, Text string }

// Error gives both.
func (f *Fault) Error() string { return f.Code + ": " + f.Text }

// Endpoint is one member of a pool. It may be used concurrently.
type Endpoint struct {
	name string
	pool *Pool
	key  *key

	// All below is guarded by the pool's mutex.
	quarantine  *Fault    // nil: admitted
	last        *Fault    // the last failure, nil when it succeeded since
	failures    int       // in a row
	brokenUntil time.Time // by the breaker
	pausedUntil time.Time // by the node's wish, for which paused is the fault
	paused      *Fault
	inFlight    int    // turns that were picked and not released
	turn        uint64 // the last one, of Pool.turns
	head        int64  // the newest block that it told of, 0 when unknown
	headSeen    time.Time
	slots       slots
	latency     time.Duration // of reads, an average
	measured    time.Time     // when it was, zero for never
	slow        bool
}

// Name is the alias.
func (e *Endpoint) Name() string { return e.name }

// Wait takes one request from the budget and waits for it if need be. It fails at once when ctx would end before.
// [Endpoint.Begin] does more.
func (e *Endpoint) Wait(ctx context.Context) error {
	if err := e.key.limiter.Wait(ctx); err != nil {
		return fmt.Errorf("wait for the request budget: %w", err)
	}
	return nil
}

// Release gives back what [Pool.Pick] gave.
func (e *Endpoint) Release() {
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	e.inFlight--
}

// Succeeded says that a request was answered as it should be: the breaker closes. A pause that the node asked for goes on.
func (e *Endpoint) Succeeded() {
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	e.failures, e.last, e.brokenUntil = 0, nil, time.Time{}
	e.slots.grow(time.Now())
}

// Failed says that a request failed through the endpoint's fault, and takes the endpoint out for pause, if it asked for
// one, or for as long as the breaker says. It gives how long that is.
func (e *Endpoint) Failed(why Fault, pause time.Duration) time.Duration {
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	now := time.Now()
	e.failed(why, now)
	if pause = min(pause, LongestPause); pause > 0 {
		if until := now.Add(pause); until.After(e.pausedUntil) {
			e.pausedUntil, e.paused = until, &why
		}
	}
	return e.outFor(now)
}

// Limited says that the endpoint's provider refused a request as one too many: it is asked less at once, and it and all that
// share its key are left alone for pause, [ShortestPause] at least. It gives how long the endpoint is out.
func (e *Endpoint) Limited(why Fault, pause time.Duration) time.Duration {
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	now := time.Now()
	if _, paused := e.pausedAt(now); paused == nil { // what else was under way was part of the same too many
		e.slots.halve(now)
	}
	e.failed(why, now)
	e.key.pause(now.Add(min(max(pause, ShortestPause), LongestPause)), &why)
	return e.outFor(now)
}

// failed counts a failure and breaks the endpoint when it is one of several. The pool's mutex is held.
func (e *Endpoint) failed(why Fault, now time.Time) {
	e.failures++
	e.last = &why
	if e.failures >= tripAfter {
		out := min(firstBreak<<min(e.failures-tripAfter, 10), longestBreak)
		out -= rand.N(out / 4) // so that replicas do not come back together
		e.brokenUntil = now.Add(out)
	}
}

// outFor gives how long the endpoint is broken or paused. The pool's mutex is held.
func (e *Endpoint) outFor(now time.Time) time.Duration {
	until, _ := e.pausedAt(now)
	return max(until.Sub(now), e.brokenUntil.Sub(now), 0)
}

// pausedAt gives until when the node, or the provider for the key, is left alone by its own wish, and why: nil when it is
// not. The pool's mutex is held.
func (e *Endpoint) pausedAt(now time.Time) (until time.Time, why *Fault) {
	until, why = e.key.pausedUntil(now)
	if now.Before(e.pausedUntil) && e.pausedUntil.After(until) {
		return e.pausedUntil, e.paused
	}
	return until, why
}

// Paused reports whether the node asked to be left alone now, even by checks.
func (e *Endpoint) Paused() bool {
	return e.pause() != nil
}

// Quarantine takes the endpoint out until [Endpoint.Admit], and its head out of the tip. It reports whether the endpoint
// was not in quarantine for this code before, so that the alarm is raised once.
func (e *Endpoint) Quarantine(why Fault) (news bool) {
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	news = e.quarantine == nil || e.quarantine.Code != why.Code
	e.quarantine = &why
	e.head, e.headSeen = 0, time.Time{}
	return news
}

// Admit ends the quarantine and reports whether there was one.
func (e *Endpoint) Admit() (news bool) {
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	news = e.quarantine != nil
	e.quarantine = nil
	return news
}

// Saw notes the newest block that the endpoint tells of; what one in quarantine tells does not count. It may fall: a node
// may be replaced by another, or reorganised.
func (e *Endpoint) Saw(height int64) {
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	if e.quarantine == nil {
		e.head, e.headSeen = height, time.Now()
	}
}

// unusable gives why the endpoint may not be picked, nil when it may. The pool's mutex is held.
func (e *Endpoint) unusable(now time.Time) *Fault {
	if e.quarantine != nil {
		if e.quarantine.Code == Unchecked && e.last != nil {
			return e.last // why no check has admitted it
		}
		return e.quarantine
	}
	if _, paused := e.pausedAt(now); paused != nil {
		return paused
	}
	if now.Before(e.brokenUntil) || e.failures >= tripAfter && e.inFlight > 0 {
		return e.last
	}
	return nil
}
