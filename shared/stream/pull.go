package stream

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
)

// mostPerPull guards the client's buffers: messages are large.
const mostPerPull = 8

// Pull takes messages until ctx ends and gives each to handle, in a goroutine of its own, at most Slots at once. handle
// settles its message (ack, nak or term) itself; its context is work, which should outlive ctx. Messages
// that arrive while stopping go back. Pull returns when every handler has. A missing consumer is waited for.
func (c *Conn) Pull(ctx, work context.Context, s Source, handle func(context.Context, jetstream.Msg)) error {
	group := new(errgroup.Group)
	free := make(chan struct{}, s.Slots)
	for range s.Slots {
		free <- struct{}{}
	}
	c.each(ctx, s, func(consumer jetstream.Consumer) error {
		slots := takeSlots(ctx, free, mostPerPull)
		if slots == 0 {
			return ctx.Err()
		}
		batch, err := consumer.Fetch(slots, s.limits()...)
		if err == nil {
			for msg := range batch.Messages() {
				if ctx.Err() != nil {
					GiveBack(msg)
					continue
				}
				slots--
				group.Go(func() error {
					defer func() { free <- struct{}{} }()
					defer KeepAlive(work, heartbeat(consumer), msg)()
					handle(work, msg)
					return nil
				})
			}
			err = batch.Error()
		}
		for range slots {
			free <- struct{}{}
		}
		return err
	})
	return group.Wait()
}

// takeSlots waits for one free slot and takes up to most of those that are free. 0 means that ctx ended.
func takeSlots(ctx context.Context, free chan struct{}, most int) int {
	select {
	case <-ctx.Done():
		return 0
	case <-free:
	}
	for taken := 1; ; taken++ {
		if taken == most {
			return taken
		}
		select {
		case <-free:
		default:
			return taken
		}
	}
}
