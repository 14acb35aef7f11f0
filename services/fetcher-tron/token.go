package fetchertron

import (
	"sync"
	"time"
)

// strikeMemory is how long a token's last strike counts.
const strikeMemory = time.Hour

// mostStrikes is after how many readings a token that used up the node's time alone is at fault: the first may have been a pause
// of the node's collector, or a slow node.
const mostStrikes = 2

// tokens remembers those that cost a node all its time. It may be used concurrently. Its zero value is ready.
type tokens struct {
	mu      sync.Mutex // guards below
	strikes map[address]strike
}

type strike struct {
	count int
	at    time.Time
}

// struck notes that the token of a call used up a node's time, in two calls of its own, and reports whether that is now the token's fault.
func (t *tokens) struck(c call) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	for token, s := range t.strikes {
		if now.Sub(s.at) > strikeMemory {
			delete(t.strikes, token)
		}
	}
	if t.strikes == nil {
		t.strikes = map[address]strike{}
	}
	s := strike{count: t.strikes[c.token].count + 1, at: now}
	t.strikes[c.token] = s
	return s.count >= mostStrikes
}

// cleared notes that the token of a call was read.
func (t *tokens) cleared(c call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.strikes, c.token)
}
