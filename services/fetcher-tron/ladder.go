package fetchertron

import (
	"sync"
	"time"
)

// fallAfter is how many structural failures in a row make an endpoint leave a rung: one may be an accident.
const fallAfter = 2

// ladder is how far up an endpoint may be read, and how much at once on each rung. What works is what a probe saw working;
// a rung that then fails by its structure, twice in a row, is left until the next regular probe. It may be used concurrently.
type ladder struct {
	top   rung // the best rung to use, by configuration
	sizes perRung[*sizes]

	mu       sync.Mutex // guards below
	works    perRung[bool]
	failures perRung[int]       // structural ones, in a row
	left     perRung[time.Time] // until when a rung is not used, since it failed after the probe
}

// newLadder gives a ladder of which nothing but single calls is known to work.
func newLadder(top rung, weight int) *ladder {
	l := &ladder{top: top}
	l.sizes[scanRevert], l.sizes[scanReturn], l.sizes[multicall] = newSizes(weight), newSizes(weight), newSizes(min(weight, multicallWeight))
	return l
}

// best gives the best rung that may be used, none of those to avoid.
func (l *ladder) best(avoid perRung[bool]) rung {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for _, r := range bulk {
		if r >= l.top && l.works[r] && !avoid[r] && !now.Before(l.left[r]) {
			return r
		}
	}
	return single
}

// found notes what a probe saw working.
func (l *ladder) found(works perRung[bool]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.works, l.failures = works, perRung[int]{}
}

// worked ends a row of failures.
func (l *ladder) worked(r rung) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures[r] = 0
}

// stumbled notes a structural failure and reports whether the endpoint leaves the rung with it.
func (l *ladder) stumbled(r rung) (fell bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures[r]++
	now := time.Now()
	if l.failures[r] < fallAfter || now.Before(l.left[r]) {
		return false
	}
	l.failures[r], l.left[r] = 0, now.Add(probeAge)
	return true
}
