package upstream

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/time/rate"
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

// Unchecked is the code of an endpoint that was never admitted.
const Unchecked = "unchecked"

// Fault is why an endpoint is not in use: a code for programs, a text for people.
type Fault struct{ Code, Text string }

// Error gives both.
func (f *Fault) Error() string { return f.Code + ": " + f.Text }

// Endpoint is one member of a pool. It may be used concurrently.
type Endpoint struct {
	name      string
	pool      *Pool
	budget    *rate.Limiter
	unlimited bool

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
}

// Name is the alias.
func (e *Endpoint) Name() string { return e.name }

// Wait takes one request from the budget and waits for it if need be. It fails at once when ctx would end before.
func (e *Endpoint) Wait(ctx context.Context) error {
	if err := e.budget.Wait(ctx); err != nil {
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
}

// Failed says that a request failed through the endpoint's fault, and takes the endpoint out for pause, if it asked for
// one, or for as long as the breaker says. It gives how long that is.
func (e *Endpoint) Failed(why Fault, pause time.Duration) time.Duration {
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	now := time.Now()
	e.failures++
	e.last = &why
	var out time.Duration
	if e.failures >= tripAfter {
		out = min(firstBreak<<min(e.failures-tripAfter, 10), longestBreak)
		out -= rand.N(out / 4) // so that replicas do not come back together
		e.brokenUntil = now.Add(out)
	}
	if pause = min(pause, LongestPause); pause > 0 {
		if until := now.Add(pause); until.After(e.pausedUntil) {
			e.pausedUntil, e.paused = until, &why
		}
	}
	return max(out, e.pausedUntil.Sub(now))
}

// Paused reports whether the node asked to be left alone now, even by checks.
func (e *Endpoint) Paused() bool {
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	return time.Now().Before(e.pausedUntil)
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
	switch {
	case e.quarantine != nil:
		return e.quarantine
	case now.Before(e.pausedUntil):
		return e.paused
	case now.Before(e.brokenUntil), e.failures >= tripAfter && e.inFlight > 0:
		return e.last
	}
	return nil
}

// rank is the endpoint's place among the usable. The pool's mutex is held.
func (e *Endpoint) rank(now time.Time, wanted int64) rank {
	return rank{
		behind:   e.headAt(now) < wanted,
		failed:   e.failures > 0,
		starved:  !e.unlimited && e.budget.TokensAt(now) < 1,
		inFlight: e.inFlight,
		turn:     e.turn,
	}
}
