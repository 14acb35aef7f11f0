package stream

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Source is a durable consumer to take messages from.
type Source struct {
	Stream, Durable string
	// Slots is how many messages are worked on at once, at least 1; a pull never asks for more than are free.
	Slots int
	// Wait is how long an idle pull stays open, and so how long a stop may take. Default 2 s.
	Wait time.Duration
	// Report is told why the source cannot be used, and nil when it can.
	Report func(error)
}

func (s Source) wait() time.Duration {
	if s.Wait > 0 {
		return s.Wait
	}
	return 2 * time.Second
}

// limits are those of one pull. It fails after a whole wait without a sign of the broker, not sooner: what is delivered
// to a pull that was given up comes again only after AckWait.
func (s Source) limits() []jetstream.FetchOpt {
	return []jetstream.FetchOpt{jetstream.FetchMaxWait(s.wait()), jetstream.FetchHeartbeat(s.wait() / 2)}
}

func (s Source) report(err error) {
	if s.Report != nil {
		s.Report(err)
	}
}

// each binds the consumer, and again whenever a pull fails, and calls pull until ctx ends. A stop is not a fault: it is not reported.
func (c *Conn) each(ctx context.Context, s Source, pull func(jetstream.Consumer) error) {
	var consumer jetstream.Consumer
	for ctx.Err() == nil {
		if consumer == nil {
			bound, err := c.Bind(ctx, s.Stream, s.Durable)
			if ctx.Err() != nil {
				return
			}
			s.report(err)
			if err != nil {
				pause(ctx, 500*time.Millisecond)
				continue
			}
			consumer = bound
		}
		if err := pull(consumer); err != nil && ctx.Err() == nil {
			// Whatever it was (deleted, no heartbeat, no responders, no leader), a fresh bind finds out whether it is over.
			s.report(fmt.Errorf("pull from %s: %w", s.Durable, c.explain(err)))
			consumer = nil
			pause(ctx, 200*time.Millisecond)
		}
	}
}

// restDelay is longer than a pull of the default Wait stays open.
const restDelay = 2500 * time.Millisecond

// GiveBack hands a message of a process that is stopping to another instance, after a rest in which this process's own pulls end: at once
// it would come right back to one of them, again and again, and use its deliveries up in no time. If the hand-over is lost, the
// message is delivered again after AckWait.
func GiveBack(msg jetstream.Msg) { _ = msg.NakWithDelay(restDelay) }

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
