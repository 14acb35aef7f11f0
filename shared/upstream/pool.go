// Package upstream is the endpoints of one chain as a pool: which of them may be asked now, how often, and what they agree
// on. It knows no protocol: its users ask the nodes, and tell the pool what came of it.
//
// Where an endpoint stands:
//
//	                 Admit                  Failed, again and again
//	quarantined ──────────────► usable ─────────────────────────────► broken, 500 ms doubling to 10 s
//	     ▲                       │  ▲                                    │
//	     └────── Quarantine ─────┘  └── Succeeded ── one turn on trial ◄─┘
//
// Besides, a node may ask to be left alone: Failed with a pause takes it out for as long, whatever else succeeds.
// An endpoint starts in quarantine, so that none is used before somebody has checked which chain it is of.
//
// Time is package time's, so that tests run in a synctest bubble.
package upstream

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Member is an endpoint as it is configured.
type Member struct {
	// Name is the alias.
	Name string
	// RPS is the budget in requests a second, 0 for unlimited.
	RPS float64
}

// Settings say how heads are compared. The zero value of a field is its default.
type Settings struct {
	// BlockTime is the fastest that the chain can produce a block: two heads that were seen at different moments are compared by it. Default 1 s.
	BlockTime time.Duration
	// Lag is how many blocks below the tip an endpoint may be before others are preferred. Default 5.
	Lag int64
	// HeadAge is how long a head counts after it was seen. Default 30 s.
	HeadAge time.Duration
}

// Pool is the endpoints of one chain. It may be used concurrently.
type Pool struct {
	settings  Settings
	endpoints []*Endpoint

	mu    sync.Mutex // guards what the endpoints say it guards, and turns
	turns uint64     // how many were given, so that endpoints rotate
}

// New gives a pool with every endpoint in quarantine, not checked yet.
func New(members []Member, s Settings) *Pool {
	p := &Pool{settings: Settings{BlockTime: cmp.Or(s.BlockTime, time.Second), Lag: cmp.Or(s.Lag, 5), HeadAge: cmp.Or(s.HeadAge, 30*time.Second)}}
	for _, m := range members {
		e := &Endpoint{name: m.Name, pool: p, unlimited: m.RPS == 0, quarantine: &Fault{Code: Unchecked, Text: "not checked yet"}}
		// A small burst: what was saved up while idle must not make a second hold twice the budget.
		e.budget = rate.NewLimiter(rate.Limit(m.RPS), max(1, int(m.RPS/10)))
		if e.unlimited {
			e.budget.SetLimit(rate.Inf)
		}
		p.endpoints = append(p.endpoints, e)
	}
	return p
}

// Endpoints lists the pool's endpoints in the order of the configuration.
func (p *Pool) Endpoints() []*Endpoint { return slices.Clone(p.endpoints) }

// Pick gives the endpoint to ask next, none of those to avoid; the caller gives it back with [Endpoint.Release]. It
// prefers endpoints at the height atLeast and near the tip, then those that did not fail last, then those with budget
// left and little in flight, and rotates among equals. It never waits: when no endpoint is usable the error is an
// [*Unavailable], so that an outage costs no calls.
func (p *Pool) Pick(atLeast int64, avoid ...*Endpoint) (*Endpoint, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	wanted := max(atLeast, p.tip(now).Height-p.settings.Lag)
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
	p.turns++
	best.inFlight++
	best.turn = p.turns
	return best, nil
}

// rank orders endpoints; the lower of two is asked first.
type rank struct {
	behind, failed, starved bool
	inFlight                int
	turn                    uint64
}

func (r rank) before(other rank) bool {
	return cmp.Or(less(r.behind, other.behind), less(r.failed, other.failed), less(r.starved, other.starved),
		cmp.Compare(r.inFlight, other.inFlight), cmp.Compare(r.turn, other.turn)) < 0
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
