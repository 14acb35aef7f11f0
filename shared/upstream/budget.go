package upstream

import (
	"cmp"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Budgets are the request budgets of a process by name. What a provider counts is its key: endpoints of several chains that
// have one key must share one budget. The zero value is ready. It may be used concurrently.
type Budgets struct {
	mu    sync.Mutex // guards below
	named map[string]*key
}

// key gives the budget of a name, and a new one for "". Those who name one and give different rates get the lowest.
func (b *Budgets) key(name string, rps float64) *key {
	if name == "" {
		return newKey(rps)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.named[name]
	switch {
	case k == nil:
		k = newKey(rps)
	case k.rps == 0 || rps > 0 && rps < k.rps:
		k.set(rps)
	}
	if b.named == nil {
		b.named = map[string]*key{}
	}
	b.named[name] = k
	return k
}

// key is what a provider counts and limits by. It may be used concurrently; its mutex is never held while a pool's is taken.
type key struct {
	rps     float64 // guarded by that of Budgets
	limiter *rate.Limiter

	mu     sync.Mutex // guards below
	until  time.Time  // no request before, by the provider's wish
	paused *Fault     // why
}

func newKey(rps float64) *key {
	k := &key{limiter: rate.NewLimiter(rate.Inf, 1)}
	k.set(rps)
	return k
}

// set sets the rate. The burst is small: what was saved up while idle must not make a second hold twice the budget.
func (k *key) set(rps float64) {
	k.rps = rps
	k.limiter.SetLimit(cmp.Or(rate.Limit(rps), rate.Inf))
	k.limiter.SetBurst(max(1, int(rps/10)))
}

// starved reports whether a request would have to wait.
func (k *key) starved(now time.Time) bool {
	return k.limiter.Limit() != rate.Inf && k.limiter.TokensAt(now) < 1
}

// pause leaves the provider alone until then, or longer if that was its wish before.
func (k *key) pause(until time.Time, why *Fault) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if until.After(k.until) {
		k.until, k.paused = until, why
	}
}

// pausedUntil gives until when the provider is left alone and why, nil when it is not.
func (k *key) pausedUntil(now time.Time) (time.Time, *Fault) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now.Before(k.until) {
		return k.until, k.paused
	}
	return time.Time{}, nil
}
