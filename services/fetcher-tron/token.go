package fetchertron

import (
	"sync"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
)

const (
	// mostStrikes is how many readings must find that a token uses up the node's time alone before it is the token's fault: the first may
	// have been a pause of the node's collector, or a slow node.
	mostStrikes = 2
	// firstQuarantine is how long such a token is not asked then, doubling up to longestQuarantine.
	firstQuarantine, longestQuarantine = time.Minute, time.Hour
	// strikeMemory is how long after its last strike, and its quarantine, a token is forgotten.
	strikeMemory = 2 * longestQuarantine
)

// tokens remembers what was learnt about the tokens of a chain, at whichever endpoint: their decimals, and which of them cost a node all
// its time. Those are read apart from others, which they would cost their values, and after a second strike not at all for a
// while. It may be used concurrently. Its zero value is ready.
type tokens struct {
	decimals fetch.Decimals[address]

	mu   sync.Mutex // guards below
	slow map[address]slowToken
}

type slowToken struct {
	strikes int
	by      string    // the endpoint of the last strike
	at      time.Time // of the last strike
	until   time.Time // of the quarantine, zero for none
	text    string    // of the failure
}

// strike is that a token used up the time of a node, in two calls of its own.
type strike struct {
	// by is the endpoint, and alone says that there is no other to ask.
	by    string
	alone bool
	// began is when the reading did that found it.
	began time.Time
	text  string
}

// struck notes a strike of a call's token and reports whether it is now the token's fault. What is one moment's, and what is one node's
// while there are others, counts once.
func (t *tokens) struck(c call, s strike) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	for token, old := range t.slow {
		if now.Sub(old.at) > strikeMemory {
			delete(t.slow, token)
		}
	}
	if t.slow == nil {
		t.slow = map[address]slowToken{}
	}
	old, found := t.slow[c.token]
	if found && (old.at.After(s.began) || old.by == s.by && !s.alone) {
		return old.strikes >= mostStrikes
	}
	token := slowToken{strikes: old.strikes + 1, by: s.by, at: now, text: s.text}
	if token.strikes >= mostStrikes {
		token.until = now.Add(min(firstQuarantine<<min(token.strikes-mostStrikes, 10), longestQuarantine))
	}
	t.slow[c.token] = token
	return token.strikes >= mostStrikes
}

// cleared notes that the token of a call was read.
func (t *tokens) cleared(c call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.slow, c.token)
}

// barred gives why the token of a call is not asked now, "" when it may be.
func (t *tokens) barred(c call) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.slow[c.token]; !c.native && time.Now().Before(s.until) {
		return s.text
	}
	return ""
}

// divide tells calls of tokens that had a strike from the others. Both keep their order.
func (t *tokens) divide(calls []call) (together, apart []call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.slow) == 0 {
		return calls, nil
	}
	for _, c := range calls {
		if _, slow := t.slow[c.token]; slow && !c.native {
			apart = append(apart, c)
		} else {
			together = append(together, c)
		}
	}
	return together, apart
}
