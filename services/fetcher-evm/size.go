package fetcherevm

import (
	"sync"
	"time"
)

// sizeMemory is how long a refused batch size is remembered, before the configured one is tried again.
const sizeMemory = 10 * time.Minute

// sizes is how many elements a batch to one endpoint may have. It may be used concurrently.
type sizes struct {
	most int // the configured size

	mu      sync.Mutex // guards below
	ceiling int        // what was learnt, 0 for nothing
	until   time.Time
}

// now gives the size to use.
func (s *sizes) now() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ceiling == 0 || time.Now().After(s.until) {
		return s.most
	}
	return s.ceiling
}

// lower remembers that n elements are the most to try, 1 meaning that the endpoint takes no batches. A reading that began
// earlier never raises what another one learnt.
func (s *sizes) lower(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if n = max(n, 1); s.ceiling == 0 || now.After(s.until) || n < s.ceiling {
		s.ceiling = n
	}
	s.until = now.Add(sizeMemory)
}
