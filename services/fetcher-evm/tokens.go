package fetcherevm

import (
	"slices"
	"sync"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
)

// tokens is what was learnt about the tokens of a chain, at whichever endpoint. It lives in memory: what is forgotten is
// learnt again. It may be used concurrently.
type tokens struct {
	decimals fetch.Decimals[address]

	mu     sync.Mutex // guards below
	bad    map[address]*badToken
	apart  map[address]time.Time // until when a token is not read by contracts
	sample call                  // a balance that a contract was told, for probes; its token is zero before the first
}

func newTokens() *tokens {
	return &tokens{bad: map[address]*badToken{}, apart: map[address]time.Time{}}
}

// apartFor is how long a token that answers contracts otherwise than others is read from outside only.
const apartFor = time.Hour

// keepApart notes that a contract was refused what a call of its own was given: by a token that looks at who is asking, or
// that writes when it is asked.
func (t *tokens) keepApart(token address) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.apart) >= mostBad {
		clear(t.apart)
	}
	t.apart[token] = time.Now().Add(apartFor)
}

// divide tells calls that are not for contracts to ask from the others: those of tokens that are kept apart, and that for the sender's
// coins. Both keep their order.
func (t *tokens) divide(calls []call) (bulk, apart []call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.apart) == 0 && !slices.ContainsFunc(calls, call.ofSender) {
		return calls, nil
	}
	now := time.Now()
	for _, c := range calls {
		if until, found := t.apart[c.token]; c.ofSender() || found && !c.native && now.Before(until) {
			apart = append(apart, c)
		} else {
			bulk = append(bulk, c)
		}
	}
	return bulk, apart
}

// example gives a balance of a token that a contract was told before; false when there is none yet.
func (t *tokens) example() (call, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sample, !t.sample.token.reserved()
}
