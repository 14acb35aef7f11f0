package writer

import (
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
)

// mark bounds the heights of one chain. A height from the future would win over every true one after it, so a value is believed only if the
// chain can have come that far: from the highest accepted height, at one block per block time since then, and a slack.
// It belongs to one goroutine.
type mark struct {
	slack     int64
	blockTime time.Duration
	// height and at are the highest accepted height and the broker's timestamp of the message that brought it. height 0: none yet.
	height int64
	at     time.Time
	// restored says that the mark is still the table's, and at when its height was last seen, not when it was reached.
	restored bool
}

// catchUp is how many blocks a block time may bring while the mark is the table's. Nodes that stood still leave at too late by as long, and
// with one block a block time such a chain would stay ahead of its bound for good. So it is believed again after a third of that time.
const catchUp = 4

func newMark(c chain.Config) mark {
	return mark{slack: c.HeightSlack, blockTime: c.BlockTime}
}

// restore takes up where the stored rows say that the chain is. Null means that there are none, and then the first result
// is bounded only by the tip that it names itself.
func (m *mark) restore(height *int64, at *time.Time) {
	if height != nil && at != nil && *height > 0 {
		m.height, m.at, m.restored = *height, *at, true
	}
}

// accept says whether a message that the broker stored at the given time may carry this height, and if so remembers it. Times are the
// broker's on both sides; that of an older message counts as no time at all.
func (m *mark) accept(height, tip int64, stored time.Time) bool {
	if height <= 0 {
		return true // no proof at all: accept refuses each row for that
	}
	if height > m.limit(tip, stored) {
		return false
	}
	if height > m.height {
		m.height, m.at, m.restored = height, stored, false
	}
	return true
}

// limit is the highest height that is believed. Sums that cannot be held are as good as no bound reached.
func (m *mark) limit(tip int64, stored time.Time) int64 {
	if m.height == 0 {
		return sum(max(tip, 0), m.slack)
	}
	blocks := int64(max(stored.Sub(m.at), 0) / m.blockTime)
	if m.restored {
		blocks *= catchUp
	}
	return sum(sum(m.height, m.slack), blocks)
}

// sum adds two numbers that are not negative and stops at the largest one there is.
func sum(a, b int64) int64 {
	if s := a + b; s >= 0 {
		return s
	}
	return 1<<63 - 1
}
