package stream

import (
	"sync"
	"time"
)

// Clock tells the broker's time, so that the age of a message never compares two machines' wall clocks. Between readings
// it runs on the monotonic clock of this process. It may be used concurrently.
type Clock struct {
	mu     sync.Mutex // guards below
	broker time.Time
	local  time.Time
}

// Observe takes a reading: the broker said its time between the moments sent and received of ours. A broker that gave none, as
// old servers do, leaves the clock as it is.
func (c *Clock) Observe(broker, sent, received time.Time) {
	if broker.IsZero() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broker, c.local = broker, sent.Add(received.Sub(sent)/2)
}

// Now is the broker's time and how old the reading is that it rests on. Without a reading ok is false.
func (c *Clock) Now() (now time.Time, age time.Duration, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.local.IsZero() {
		return time.Time{}, 0, false
	}
	age = time.Since(c.local)
	return c.broker.Add(age), age, true
}
