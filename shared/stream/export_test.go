package stream

import "time"

// SetLetterDelay changes how long a message waits whose dead letter was refused. Call it before the connection is used.
func (c *Conn) SetLetterDelay(d time.Duration) { c.letterDelay = d }
