package upstream

import (
	"cmp"
	"slices"
	"time"
)

// Tip is what the endpoints agree on: the height that a majority of those that answer has reached. A single node that
// is ahead of all others, however far, does not move it. Of two nodes it is the lower one's: two cannot outvote each other.
type Tip struct {
	Height int64
	// Agree is how many endpoints have reached Height, Of how many told of their head lately.
	Agree, Of int
	// Seen is when the oldest of the agreeing heads was told of: the chain may have grown since.
	Seen time.Time
}

// Tip gives what the endpoints agree on now. Its zero value means that no endpoint has told of its head lately.
func (p *Pool) Tip() Tip {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tip(time.Now())
}

// Bound is the highest block that the chain can plausibly have: slack blocks above the tip, and what can have been
// produced since the tip was seen.
func (t Tip) Bound(now time.Time, slack int64, blockTime time.Duration) int64 {
	return project(t.Height, t.Seen, now, blockTime) + slack
}

// project moves a height on to now at the fastest pace of the chain.
func project(height int64, seen, now time.Time, blockTime time.Duration) int64 {
	if height == 0 || !now.After(seen) {
		return height
	}
	return height + int64(now.Sub(seen)/blockTime)
}

// headAt is where the endpoint's head may stand now, 0 when it is unknown. The pool's mutex is held.
func (e *Endpoint) headAt(now time.Time) int64 {
	if !e.tells(now) {
		return 0
	}
	return project(e.head, e.headSeen, now, e.pool.settings.BlockTime)
}

// tells reports whether the endpoint has told of its head lately. The pool's mutex is held.
func (e *Endpoint) tells(now time.Time) bool {
	return !e.headSeen.IsZero() && now.Sub(e.headSeen) <= e.pool.settings.HeadAge
}

// tip computes the tip. The pool's mutex is held.
func (p *Pool) tip(now time.Time) Tip {
	var telling []*Endpoint
	for _, e := range p.endpoints {
		if e.tells(now) {
			telling = append(telling, e)
		}
	}
	if len(telling) == 0 {
		return Tip{}
	}
	heads := make([]int64, len(telling))
	for i, e := range telling {
		heads[i] = e.head
	}
	slices.SortFunc(heads, func(a, b int64) int { return cmp.Compare(b, a) }) // highest first
	majority := len(telling)/2 + 1
	t := Tip{Height: heads[majority-1], Of: len(telling), Seen: now}
	for _, e := range telling {
		if e.head >= t.Height {
			t.Agree++
			if e.headSeen.Before(t.Seen) {
				t.Seen = e.headSeen
			}
		}
	}
	return t
}
