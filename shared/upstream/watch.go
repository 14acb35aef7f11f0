package upstream

import (
	"context"
	"time"
)

// Watch makes a round of checks at once, then one every period until ctx ends. ready is called after the first: by then each
// endpoint is admitted, or the pool knows why it is not.
func Watch(ctx context.Context, period time.Duration, round func(context.Context), ready func()) {
	round(ctx)
	ready()
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			round(ctx)
		}
	}
}
