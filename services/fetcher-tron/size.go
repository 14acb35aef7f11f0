package fetchertron

import (
	"sync"
	"time"
)

const (
	// tokenWeight is what a token's balance weighs in a request when the coin's weighs 1: so much longer it takes the node, whose
	// time is what bounds a request.
	tokenWeight = 5
	// multicallWeight is the most that a Multicall3 may weigh: a hundred tokens, which is what others have found to work.
	multicallWeight = 500
	// sizeMemory is how long a weight that failed is not tried again.
	sizeMemory = 10 * time.Minute
	// growAfter is how many clean requests make the size grow, by a tenth.
	growAfter = 8
)

// weight is what a request of the calls weighs.
func weight(calls []call) int {
	sum := 0
	for _, c := range calls {
		sum += c.weight()
	}
	return sum
}

func (c call) weight() int {
	if c.native {
		return 1
	}
	return tokenWeight
}

// sizes is what one request of a rung to an endpoint may weigh: it halves when that was too much, and grows by a tenth while all goes
// well. It may be used concurrently.
type sizes struct {
	ceiling int

	mu     sync.Mutex // guards below
	size   int
	clean  int       // requests that went well since the size changed
	failed int       // the smallest weight that failed lately, 0 for none
	until  time.Time // when that is forgotten
}

func newSizes(ceiling int) *sizes { return &sizes{ceiling: ceiling, size: ceiling} }

// now gives the weight to use.
func (s *sizes) now() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size
}

// worked notes that a request of a weight was answered whole. One far below the size says nothing about a larger one.
func (s *sizes) worked(weight int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if 2*weight <= s.size || s.size == s.ceiling {
		return
	}
	if s.clean++; s.clean < growAfter {
		return
	}
	most := s.ceiling
	if s.failed > 0 && time.Now().Before(s.until) {
		most = min(most, s.failed-1)
	}
	s.clean, s.size = 0, max(s.size, min(most, s.size+max(1, s.size/10)))
}

// broke notes that a request of a weight was too much, and not through one token in it. A reading that began with a larger size does
// not halve it again.
func (s *sizes) broke(weight int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.failed == 0 || now.After(s.until) || weight < s.failed {
		s.failed = weight
	}
	s.until = now.Add(sizeMemory)
	s.clean, s.size = 0, max(tokenWeight, min(s.size, weight/2))
}

// share gives how many of the calls, which are not none, go into the next request: requests are as equal as can be, and none
// weighs more than size, but that each has a call.
func share(calls []call, size int) int {
	total := weight(calls)
	requests := (total + size - 1) / size
	target := max((total+requests-1)/requests, tokenWeight)
	sum := 0
	for i, c := range calls {
		if sum += c.weight(); sum > min(max(target, tokenWeight), size) && i > 0 {
			return i
		}
	}
	return len(calls)
}
