package upstream

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// How many requests an endpoint gets at once: few at first, then what it bears.
const (
	// DefaultConcurrency is the most requests at once at an endpoint that is not configured otherwise.
	DefaultConcurrency = 8
	firstConcurrency   = 2
	// growEvery is how slowly concurrency comes back once it was too much.
	growEvery = 5 * time.Second
)

// slots is how many requests an endpoint may have at once: additive increase, multiplicative decrease. The pool's mutex guards it.
type slots struct {
	most, limit, inUse int
	queue              []chan struct{} // who waits for one, longest first; closed when it was given
	tight              bool            // more could have been used since the limit last grew
	cut                bool            // the endpoint was over its limit once: from then on the limit grows slowly
	changed            time.Time       // when the limit was last changed
}

// enter takes a slot, or gives what to wait for.
func (s *slots) enter() (wait chan struct{}) {
	if s.inUse < s.limit && len(s.queue) == 0 {
		s.inUse++
		s.tight = s.tight || s.inUse == s.limit
		return nil
	}
	s.tight = true
	wait = make(chan struct{})
	s.queue = append(s.queue, wait)
	return wait
}

// leave gives a slot back.
func (s *slots) leave() {
	s.inUse--
	s.pass()
}

// giveUp ends a wait: the slot goes back if it was given meanwhile.
func (s *slots) giveUp(wait chan struct{}) {
	if at := slices.Index(s.queue, wait); at >= 0 {
		s.queue = slices.Delete(s.queue, at, at+1)
		return
	}
	s.leave()
}

// pass gives free slots to those who wait.
func (s *slots) pass() {
	for len(s.queue) > 0 && s.inUse < s.limit {
		close(s.queue[0])
		s.queue = s.queue[1:]
		s.inUse++
	}
}

// grow raises the limit by one, if more could have been used.
func (s *slots) grow(now time.Time) {
	if !s.tight || s.limit >= s.most || s.cut && now.Sub(s.changed) < growEvery {
		return
	}
	s.limit++
	s.tight, s.changed = false, now
	s.pass()
}

// halve lowers the limit: the endpoint said that it was too much. What is under way goes on.
func (s *slots) halve(now time.Time) {
	s.limit = max(1, s.limit/2)
	s.tight, s.cut, s.changed = false, true, now
}

// Begin waits until a request may be sent, for a slot of the endpoint's concurrency and then for its budget, and takes
// both; end gives the slot back, and may be called more than once. It fails when ctx ends, or would before there was budget. While the node
// wants to be left alone it fails with its [*Fault], so that who waited when the pause began asks nothing either.
func (e *Endpoint) Begin(ctx context.Context) (end func(), err error) {
	e.pool.mu.Lock()
	wait := e.slots.enter()
	e.pool.mu.Unlock()
	if wait != nil {
		select {
		case <-wait:
		case <-ctx.Done():
			e.pool.mu.Lock()
			defer e.pool.mu.Unlock()
			e.slots.giveUp(wait)
			return nil, fmt.Errorf("wait for one of the endpoint's requests to end: %w", ctx.Err())
		}
	}
	end = sync.OnceFunc(func() {
		e.pool.mu.Lock()
		defer e.pool.mu.Unlock()
		e.slots.leave()
	})
	if err := e.Wait(ctx); err != nil {
		end()
		return nil, err
	}
	if fault := e.pause(); fault != nil {
		end()
		return nil, fault
	}
	return end, nil
}

// pause gives why the endpoint is to be left alone now, nil when it is not.
func (e *Endpoint) pause() *Fault {
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	_, fault := e.pausedAt(time.Now())
	return fault
}
