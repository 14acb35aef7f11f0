package stream

import (
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// denialLasts is how long a refused permission is held against the connection. What is refused is tried again all the time, so a
// refusal that stands renews itself; one that an operator has cured is over after this, without a restart.
const denialLasts = time.Minute

// denial remembers a refused permission. To the caller who was refused it looks like a timeout: only the connection's error handler
// learns the reason.
type denial struct {
	over func() // called when one that was held is held no longer; set before the first note

	mu    sync.Mutex // guards below
	err   error
	when  time.Time
	lasts time.Duration
	timer *time.Timer // runs over; nil: none was held yet
}

// note takes an error of the connection; any other than a refused permission is left to the call that it belongs to.
func (d *denial) note(err error, now time.Time) {
	if !errors.Is(err, nats.ErrPermissionViolation) && !strings.Contains(strings.ToLower(err.Error()), "permissions violation") {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err, d.when = err, now
	if d.timer == nil {
		d.timer = time.AfterFunc(d.lasts+time.Millisecond, d.over)
	} else {
		d.timer.Reset(d.lasts + time.Millisecond)
	}
}

// end stops waiting for the end of a denial.
func (d *denial) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
	}
}

// forget is for a new connection, which may have other permissions.
func (d *denial) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = nil
}

func (d *denial) current(now time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now.Sub(d.when) > d.lasts {
		return nil
	}
	return d.err
}
