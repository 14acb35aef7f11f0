package fetcherevm

import (
	"sync"
	"time"
)

const (
	// firstSize is how many balances the first request of a rung asks for, where its ceiling allows.
	firstSize = 500
	// sizeMemory is how long a size that failed is not tried again.
	sizeMemory = 10 * time.Minute
	// growAfter is how many clean requests make the size grow, by a quarter.
	growAfter = 4
	// tooSlow is the answer time above which requests are halved: others wait behind them.
	tooSlow = 2 * time.Second
	// strainMemory is how long a size that took too long is not tried again: a node has bad minutes, whatever it is asked.
	strainMemory = 30 * time.Second
	// strainFloor is the part of its ceiling to which slowness lowers a size. A busy node is not helped by more requests for fewer
	// balances: below it the breaker is what spares the node.
	strainFloor = 20
)

// ceilings are the sizes above which a rung gains nothing more, or which nodes do not take: initcode and the code that it
// returns are bounded by the protocol. That of batches is configured.
var ceilings = perRung[int]{override: 2500, create: 600, multicall: 500}

// sizes is how much one request of a rung may ask of an endpoint: it grows by a quarter while all goes well, and halves when
// something was too much. It may be used concurrently.
type sizes struct {
	ceiling int

	mu     sync.Mutex // guards below
	size   int
	clean  int       // requests that went well since the size changed
	failed int       // the smallest size that failed lately, 0 for none
	until  time.Time // when that is forgotten
}

func newSizes(ceiling int) *sizes {
	return &sizes{ceiling: ceiling, size: max(1, min(firstSize, ceiling))}
}

// now gives the size to use.
func (s *sizes) now() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size
}

// worked notes that n at once were answered, after took. Requests far below the size say nothing about a larger one.
func (s *sizes) worked(n int, took time.Duration) {
	if took > tooSlow {
		s.strained(n)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if 2*n <= s.size {
		return
	}
	if s.clean++; s.clean < growAfter {
		return
	}
	most := s.ceiling
	if s.failed > 0 && time.Now().Before(s.until) {
		most = min(most, s.failed-1)
	}
	s.clean, s.size = 0, max(1, min(most, s.size+max(1, s.size/4)))
}

// broke notes that n at once were too much. A reading that began with a larger size does not halve it again.
func (s *sizes) broke(n int) { s.fell(n, 1, sizeMemory) }

// strained notes that n at once took too long, which may be their number, or the node's load.
func (s *sizes) strained(n int) { s.fell(n, max(1, s.ceiling/strainFloor), strainMemory) }

// fell halves the size, to least at the lowest, and remembers n for so long.
func (s *sizes) fell(n, least int, memory time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.failed == 0 || now.After(s.until) || n < s.failed {
		s.failed = max(n, least+1) // the least must stay possible
	}
	if until := now.Add(memory); until.After(s.until) {
		s.until = until
	}
	s.clean, s.size = 0, min(s.size, max(least, n/2))
}

// reached notes that a request for more was answered for its first n only, which is no failure: gas was used up.
func (s *sizes) reached(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clean, s.size = 0, max(1, min(s.size, n*9/10))
}

// share divides n rows into requests of at most size, as equal as can be, and gives the size of the first.
func share(n, size int) int {
	requests := (n + size - 1) / size
	return (n + requests - 1) / requests
}
