package upstream

import "time"

// When an endpoint is slow: it takes twice as long as the fastest, until it takes half as long again at most. Between the two
// nothing changes, so that equal endpoints rotate. A difference of Settings.LatencyGap is noise. A slow endpoint is not asked while others can
// be, so after latencyAge without a measurement it counts as unknown, and is given a turn.
const (
	latencyWeight = 0.25 // of the newest measurement in the average
	latencyAge    = time.Minute
)

// Took says how long a real read took that was answered as it should be. Checks say little about it: measure what rows wait for.
func (e *Endpoint) Took(took time.Duration) {
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	now := time.Now()
	if e.measuredAt(now) {
		took = e.latency + time.Duration(latencyWeight*float64(took-e.latency))
	}
	e.latency, e.measured = took, now
}

// measuredAt reports whether the endpoint's latency is known. The pool's mutex is held.
func (e *Endpoint) measuredAt(now time.Time) bool {
	return !e.measured.IsZero() && now.Sub(e.measured) < latencyAge
}

// compareLatency finds out which endpoints are slow, compared with the fastest that can be used. The pool's mutex is held.
func (p *Pool) compareLatency(now time.Time) {
	var fastest *Endpoint
	for _, e := range p.endpoints {
		if e.unusable(now) == nil && e.measuredAt(now) && (fastest == nil || e.latency < fastest.latency) {
			fastest = e
		}
	}
	for _, e := range p.endpoints {
		if fastest == nil || !e.measuredAt(now) {
			e.slow = false
			continue
		}
		bound := 2 * fastest.latency
		if e.slow {
			bound = fastest.latency * 3 / 2
		}
		e.slow = e.latency > bound+p.settings.LatencyGap
	}
}
