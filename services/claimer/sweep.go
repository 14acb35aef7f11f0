package claimer

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

// Sweep is the way round a chain's rows, in the order of sweep_seq, which is that of the disk. It goes window by window, so that no
// statement visits more than a bounded number of rows, due or not, and from one row to the next over whatever lies between. It starts
// at a random place, so that several processes share the work in place of getting in each other's way. It belongs to one goroutine.
type Sweep struct {
	store *Store
	chain uuid.UUID
	base  int64 // width of a window, in sweep_seq

	placed      bool  // cursor is where this process starts, or a later place
	cursor, end int64 // what is left of the window: above cursor, up to end
	width       int64 // of the next window
	last        int64 // of the chain, as of the last look

	pass    Pass
	started time.Time
	now     func() time.Time
	random  func(n int64) int64 // in [0, n)
}

// Pass is one way from the first row of the chain to the last.
type Pass struct {
	// Picked counts the rows that were due, Covered the places that were looked at.
	Picked, Covered int64
	Took            time.Duration
	// Whole is false for the first pass of a process, which starts anywhere.
	Whole bool
}

// Step is what one step of a sweep found.
type Step struct {
	// Claimed is nil when the step found the chain's end.
	Claimed *Claimed
	// Pass is set when a pass is over; the next begins with the next step.
	Pass *Pass
	// Skipped is the place of a row that the statement fails on, 0 when there is none. The sweep goes on behind it.
	Skipped int64
}

// NewSweep gives a sweep of a chain with windows of so many places.
func NewSweep(store *Store, chain uuid.UUID, window int64) *Sweep {
	return &Sweep{store: store, chain: chain, base: window, width: window, pass: Pass{Whole: true}, now: time.Now, random: rand.Int64N}
}

// Step leases at most so many due rows and moves on. After an error it has not moved, and may be tried again.
func (s *Sweep) Step(ctx context.Context, rows int) (Step, error) {
	if s.cursor >= s.end {
		over, err := s.open(ctx)
		if err != nil || over {
			return Step{Pass: s.finish(over)}, err
		}
	}
	for {
		began := s.now()
		claimed, err := s.store.ClaimSweep(ctx, s.chain, s.cursor, s.end, rows)
		switch {
		case err == nil:
			s.advance(claimed, s.now().Sub(began))
			return Step{Claimed: claimed}, nil
		case !badData(err):
			return Step{}, err
		case s.end-s.cursor > 1:
			// One row of the window spoils the statement. Halving the window leaves its neighbours to claims that succeed.
			s.end = s.cursor + (s.end-s.cursor)/2
			s.width = s.end - s.cursor
		default:
			s.pass.Covered++
			s.cursor = s.end
			return Step{Skipped: s.cursor}, nil
		}
	}
}

// open finds the next window: it begins right before the next row, wherever that is. Behind the last row the pass is over.
func (s *Sweep) open(ctx context.Context) (over bool, err error) {
	if s.started.IsZero() {
		s.started = s.now()
	}
	next, last, err := s.store.Next(ctx, s.chain, s.cursor)
	if err != nil {
		return false, err
	}
	if !s.placed && last > 0 {
		s.placed, s.pass.Whole = true, false
		s.cursor = s.random(last)
		s.end = s.cursor
		return s.open(ctx)
	}
	s.last = last
	if next == 0 {
		return true, nil
	}
	s.cursor, s.end = next-1, next-1+s.width
	return false, nil
}

// advance moves the cursor. As many rows as were asked for: there may be more behind the last of them. Fewer: the window is done.
func (s *Sweep) advance(c *Claimed, took time.Duration) {
	to := s.end
	if c.Full() {
		to = c.Last
	}
	s.pass.Picked += int64(c.Picked)
	s.pass.Covered += max(min(to, s.last)-s.cursor, 0)
	s.cursor = to
	s.width = nextWidth(s.width, s.base, c.Full(), took)
}

// Bounds of what a statement may take before its window is made narrower or wider, and how wide it may become.
const (
	slowWindow   = 100 * time.Millisecond
	quickWindow  = 20 * time.Millisecond
	mostWidening = 256
)

// nextWidth widens windows in which little was found quickly: a chain with few rows among many of others' would otherwise be claimed
// a handful at a time. What the statement took tells how many rows it visited.
func nextWidth(width, base int64, full bool, took time.Duration) int64 {
	switch {
	case took > slowWindow && width > base:
		return max(width/2, base)
	case width < base, !full && took < quickWindow:
		return min(2*width, mostWidening*base)
	}
	return width
}

// finish ends the pass, if it is over, and goes back to the chain's first row.
func (s *Sweep) finish(over bool) *Pass {
	if !over {
		return nil
	}
	done := s.pass
	done.Took = s.now().Sub(s.started)
	s.pass, s.started = Pass{Whole: true}, time.Time{}
	s.cursor, s.end = 0, 0
	return &done
}

// dueShare is the share of rows below which a pass has found nearly nothing: then looking costs more than what it finds.
const dueShare = 50

// Rest is how long to wait before the next pass: until pace has gone by since the start of one that found nearly nothing. Rows
// that become due meanwhile are late by as much; rows that are new or asked for now come by the fast lane.
func (p *Pass) Rest(pace time.Duration) time.Duration {
	if !p.Whole || p.Picked > 0 && p.Picked*dueShare >= p.Covered {
		return 0
	}
	return max(pace-p.Took, 0)
}
