package fetcherevm

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

// newLadder gives a ladder of which nothing but single calls is known to work. A batch size of 1 means no batches.
func newLadder(top rung, batchSize int) *ladder {
	l := &ladder{top: top}
	for r := override; r < batch; r++ {
		l.sizes[r] = newSizes(ceilings[r])
	}
	l.sizes[batch] = newSizes(batchSize)
	l.works[single] = true
	return l
}

// from gives the best rung that may be used, no better than the given one and none of those to avoid.
func (l *ladder) from(best rung, avoid perRung[bool]) rung {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for r := max(best, l.top); r < single; r++ {
		if l.works[r] && !avoid[r] && !now.Before(l.left[r]) {
			return r
		}
	}
	return single
}

// found notes what a probe saw working.
func (l *ladder) found(works perRung[bool]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.works = works
	l.works[single] = true
	l.failures = perRung[int]{}
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
	if r == single || l.failures[r] < fallAfter || now.Before(l.left[r]) {
		return false
	}
	l.failures[r], l.left[r] = 0, now.Add(probeAge)
	return true
}
