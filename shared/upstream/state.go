package upstream

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// State is what is known of an endpoint at one moment.
type State struct {
	Name string
	// Fault is why the endpoint is not usable, nil when it is.
	Fault *Fault
	// Quarantined tells an endpoint that must be admitted from one that comes back by itself, at Until.
	Quarantined bool
	Until       time.Time
	// Head is the newest block that it told of lately, 0 when it did not.
	Head     int64
	InFlight int
	Failures int
	// Concurrency is how many requests it gets at once now.
	Concurrency int
	// Latency is the average of its reads, 0 when it was not measured lately. Slow tells one that others are preferred to for it.
	Latency time.Duration
	Slow    bool
}

// States lists the endpoints in the order of the configuration.
func (p *Pool) States() []State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.states(time.Now())
}

func (p *Pool) states(now time.Time) []State {
	p.compareLatency(now)
	list := make([]State, len(p.endpoints))
	for i, e := range p.endpoints {
		s := State{Name: e.name, Fault: e.unusable(now), Quarantined: e.quarantine != nil, InFlight: e.inFlight, Failures: e.failures,
			Concurrency: e.slots.limit, Slow: e.slow}
		if e.measuredAt(now) {
			s.Latency = e.latency
		}
		if e.tells(now) {
			s.Head = e.head
		}
		if s.Until, _ = e.pausedAt(now); e.brokenUntil.After(s.Until) {
			s.Until = e.brokenUntil
		}
		list[i] = s
	}
	return list
}

// Unavailable is the error of a pool without a usable endpoint. Its text names each and why.
type Unavailable struct{ States []State }

// unavailable is the error for now. The pool's mutex is held.
func (p *Pool) unavailable(now time.Time) error { return &Unavailable{States: p.states(now)} }

// Error names every endpoint that is out, and why.
func (u *Unavailable) Error() string {
	reasons := make([]string, 0, len(u.States))
	for _, s := range u.States {
		if s.Fault != nil {
			reasons = append(reasons, fmt.Sprintf("%s (%s)", s.Name, s.Fault.Error()))
		}
	}
	return "no endpoint is usable: " + strings.Join(reasons, ", ")
}

// Code is the code that all endpoints that are out share, "" when they do not.
func (u *Unavailable) Code() string {
	var codes []string
	for _, s := range u.States {
		if s.Fault != nil && !slices.Contains(codes, s.Fault.Code) {
			codes = append(codes, s.Fault.Code)
		}
	}
	if len(codes) != 1 {
		return ""
	}
	return codes[0]
}
