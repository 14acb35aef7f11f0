package claimer

import (
	"context"
	"time"

	"github.com/rs/zerolog"
)

// trouble counts how often in a row a lane could not go on, and says how long it should wait.
type trouble struct{ errors, closures int }

// Waits after an error, and for the gate, which may open any moment. They double from the first to the last.
const (
	firstErrorWait, lastErrorWait = 500 * time.Millisecond, 30 * time.Second
	firstGateWait, lastGateWait   = 25 * time.Millisecond, 500 * time.Millisecond
)

// failed notes an error and gives the wait before the next try. Only the first of several in a row is a warning.
func (t *trouble) failed(log zerolog.Logger, step string, err error) time.Duration {
	event := log.Debug()
	if t.errors == 0 {
		event = log.Warn()
	}
	event.Err(err).Str("step", step).Msg("no claims for now")
	t.errors++
	return doubled(firstErrorWait, lastErrorWait, t.errors)
}

// closed notes that the gate was closed and gives the wait before it is looked at again.
func (t *trouble) closed() time.Duration {
	t.closures++
	return doubled(firstGateWait, lastGateWait, t.closures)
}

// over notes that a round went well.
func (t *trouble) over(log zerolog.Logger) {
	if t.errors > 0 {
		log.Info().Int("errors", t.errors).Msg("claims go on")
	}
	*t = trouble{}
}

// doubled is first at the first time, twice as much each time after, and at most last.
func doubled(first, last time.Duration, times int) time.Duration {
	return min(first<<min(times-1, 16), last)
}

// pause waits for d, or returns false when ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
