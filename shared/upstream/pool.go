package upstream

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Member is an endpoint as it is configured.
type Member struct {
	// Name is the alias.
	Name string
	// RPS is the budget in requests a second, 0 for unlimited.
	RPS float64
	// Budget names the budget, which is that of all endpoints that name the same, and so is a rate limit: they share a
	// provider's key. "" is a budget of the endpoint's own.
	Budget string
	// Concurrency is the most requests at once, 0 for the default. Fewer are sent at first, and after a rate limit.
	Concurrency int
}

// Settings say how heads are compared. The zero value of a field is its default.
type Settings struct {
	// BlockTime is the fastest that the chain can produce a block: two heads that were seen at different moments are compared by it. Default 1 s.
	BlockTime time.Duration
	// Lag is how many blocks below the tip an endpoint may be before others are preferred. Default 5.
	Lag int64
	// HeadAge is how long a head counts after it was seen. Default 30 s.
	HeadAge time.Duration
	// LatencyGap is how much longer than twice the fastest an endpoint must take to be slow. Default 100 ms.
	LatencyGap time.Duration
	// Budgets are those that the pool shares with others of the process. Default: the pool has its own.
	Budgets *Budgets
}

// Pool is the endpoints of one chain. It may be used concurrently.
type Pool struct {
	settings  Settings
	endpoints []*Endpoint

	mu      sync.Mutex // guards what the endpoints say it guards, and below
	turns   uint64     // how many were given, so that endpoints rotate
	retries retries
}

// New gives a pool with every endpoint in quarantine, not checked yet.
func New(members []Member, s Settings) *Pool {
	p := &Pool{retries: retries{left: retryFloor},
		settings: Settings{BlockTime: cmp.Or(s.BlockTime, time.Second), Lag: cmp.Or(s.Lag, 5), HeadAge: cmp.Or(s.HeadAge, 30*time.Second), LatencyGap: cmp.Or(s.LatencyGap, 100*time.Millisecond)}}
	budgets := s.Budgets
	if budgets == nil {
		budgets = &Budgets{}
	}
	for _, m := range members {
		most := cmp.Or(m.Concurrency, DefaultConcurrency)
		p.endpoints = append(p.endpoints, &Endpoint{name: m.Name, pool: p, key: budgets.key(m.Budget, m.RPS),
			quarantine: &Fault{Code: Unchecked, Text: "not checked yet"}, slots: slots{most: most, limit: min(firstConcurrency, most)}})
	}
	return p
}

// Endpoints lists the pool's endpoints in the order of the configuration.
func (p *Pool) Endpoints() []*Endpoint { return slices.Clone(p.endpoints) }

// Pick gives the endpoint to ask next, none of those to avoid; the caller gives it back with [Endpoint.Release]. It
// prefers endpoints at the height atLeast and near the tip, then those that did not fail last, then those with budget
// and concurrency left, then fast ones and those with little in flight, and rotates among equals. It never waits: when no
// endpoint is usable the error is an [*Unavailable], so that an outage costs no calls.
//
// Avoid is what was asked for the same rows before: with it the pick is a retry, and the error is [ErrRetryBudget] when
// there were too many of them.
func (p *Pool) Pick(atLeast int64, avoid ...*Endpoint) (*Endpoint, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	wanted := max(atLeast, p.tip(now).Height-p.settings.Lag)
	p.compareLatency(now)
	var best *Endpoint
	var bestRank rank
	for _, e := range p.endpoints {
		if slices.Contains(avoid, e) || e.unusable(now) != nil {
			continue
		}
		if r := e.rank(now, wanted); best == nil || r.before(bestRank) {
			best, bestRank = e, r
		}
	}
	if best == nil {
		return nil, p.unavailable(now)
	}
	if !p.retries.allow(len(avoid) > 0) {
		return nil, ErrRetryBudget
	}
	p.turns++
	best.inFlight++
	best.turn = p.turns
	return best, nil
}

// rank orders endpoints; the lower of two is asked first.
type rank struct {
	behind, failed, starved, full, slow bool
	inFlight                            int
	turn                                uint64
}

// rank is the endpoint's place among the usable. The pool's mutex is held.
func (e *Endpoint) rank(now time.Time, wanted int64) rank {
	return rank{
		behind:   e.headAt(now) < wanted,
		failed:   e.failures > 0,
		starved:  e.key.starved(now),
		full:     e.inFlight >= e.slots.limit,
		slow:     e.slow,
		inFlight: e.inFlight,
		turn:     e.turn,
	}
}

func (r rank) before(other rank) bool {
	return cmp.Or(less(r.behind, other.behind), less(r.failed, other.failed), less(r.starved, other.starved), less(r.full, other.full),
		less(r.slow, other.slow), cmp.Compare(r.inFlight, other.inFlight), cmp.Compare(r.turn, other.turn)) < 0
}

// less orders false before true.
func less(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
