package stream

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// heartbeat is how often work in hand is reported: a third of the consumer's AckWait, so that slow work is not delivered again.
func heartbeat(consumer jetstream.Consumer) time.Duration {
	return max(consumer.CachedInfo().Config.AckWait/3, 10*time.Millisecond)
}

// KeepAlive reports the messages as in progress until stop is called or ctx ends, so that the broker does not deliver
// them again. A report that is lost is made up for by the next; one of a message that was settled meanwhile is not sent. Nothing is
// reported after stop has returned.
func KeepAlive(ctx context.Context, every time.Duration, messages ...jetstream.Msg) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				for _, msg := range messages {
					_ = msg.InProgress()
				}
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
