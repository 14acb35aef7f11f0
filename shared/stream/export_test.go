package stream

import "time"

// SetLetterDelay changes how long a message waits whose dead letter was refused. Call it before the connection is used.
func (c *Conn) SetLetterDelay(d time.Duration) { c.letterDelay = d }

// HoldDenials makes a refused permission be held for d.
func (c *Conn) HoldDenials(d time.Duration) {
	c.denied.mu.Lock()
	defer c.denied.mu.Unlock()
	c.denied.lasts = d
}
