package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// milestone is how far a run came.
type milestone struct {
	synced   bool          // every good row had a value not older than the start, every planted one its error
	after    time.Duration // until then, or the whole run
	requests map[string]int64
}

// count is the state of one chain's rows.
type count struct {
	rows, synced, errors int
}

// watch shows progress until the run's end: synced and moved, the time, an interrupt. A service that ends is an error.
func (s *stack) watch(ctx context.Context, failed <-chan struct{}) (milestone, error) {
	reached := milestone{}
	var end <-chan time.Time
	switch {
	case s.opt.untilSynced:
		end = time.After(s.opt.timeout)
	case s.opt.runFor > 0:
		end = time.After(s.opt.runFor)
	}
	ticker := time.NewTicker(250 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-failed:
			return reached, nil // its error comes from stop
		case <-ctx.Done():
			return s.first(reached, false), nil
		case <-end:
			return s.first(reached, false), nil
		case <-ticker.C:
		}
		counts, err := s.count(ctx)
		if err != nil && ctx.Err() == nil {
			return reached, err
		}
		s.display.progress(s, counts)
		if err == nil && !reached.synced && s.complete(counts) {
			reached = s.first(reached, true)
		}
		if s.opt.untilSynced && reached.synced && s.movedEnough() {
			return reached, nil
		}
	}
}

// first notes time and requests at the moment that all is synced, or at the end of a run that did not get there.
func (s *stack) first(m milestone, synced bool) milestone {
	if m.synced {
		return m
	}
	m = milestone{synced: synced, after: time.Since(s.began), requests: map[string]int64{}}
	for _, c := range s.chains {
		if c.node != nil {
			m.requests[c.name] = c.node.Requests()
		}
	}
	return m
}

func (s *stack) complete(counts map[string]count) bool {
	rows, done, failed := 0, 0, 0
	for _, n := range counts {
		rows, done, failed = rows+n.rows, done+n.synced, failed+n.errors
	}
	return done == rows-len(s.planted) && failed >= len(s.planted)
}

// movedEnough reports whether a fifth of the good balances of every chain has changed since the start.
func (s *stack) movedEnough() bool {
	for _, c := range s.chains {
		if c.node != nil && c.node.Moved(c.tokens()...)*5 < len(c.addresses)*len(c.assets) {
			return false
		}
	}
	return true
}

// countRows counts a chain's rows: all, good ones with a value at or above the start height, and those with an error.
const countRows = `
SELECT count(*),
       count(*) FILTER (WHERE b.id <> ALL ($3) AND b.observed_height >= $2 AND b.on_chain_balance_raw IS NOT NULL),
       count(*) FILTER (WHERE b.last_error IS NOT NULL)
  FROM wallet_balances b JOIN chains c ON c.id = b.chain_id
 WHERE c.name = $1`

func (s *stack) count(ctx context.Context) (map[string]count, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	planted := make([]uuid.UUID, 0, len(s.planted))
	for id := range s.planted {
		planted = append(planted, id)
	}
	counts := map[string]count{}
	for _, c := range s.chains {
		var n count
		if err := s.pool.QueryRow(ctx, countRows, c.name, c.start, planted).Scan(&n.rows, &n.synced, &n.errors); err != nil {
			return nil, fmt.Errorf("count rows: %w", errors.Join(err, ctx.Err()))
		}
		counts[c.name] = n
	}
	return counts, nil
}
