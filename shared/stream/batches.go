package stream

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"
)

// Batches takes messages until ctx ends and gives them to handle in batches, one batch after the other: as soon as one
// message is there, it and up to Slots-1 others that are there too, in the order of the stream. handle settles them itself; its context
// is work. A missing consumer is waited for.
func (c *Conn) Batches(ctx, work context.Context, s Source, handle func(context.Context, []jetstream.Msg)) error {
	c.each(ctx, s, func(consumer jetstream.Consumer) error {
		messages, err := take(ctx, consumer, s)
		switch {
		case len(messages) == 0:
			return err
		case ctx.Err() != nil:
			for _, msg := range messages {
				GiveBack(msg)
			}
			return nil
		}
		defer KeepAlive(work, heartbeat(consumer), messages...)()
		handle(work, messages)
		return nil
	})
	return nil
}

// take waits for a message and takes what else is there. An error without messages says why there are none.
func take(ctx context.Context, consumer jetstream.Consumer, s Source) ([]jetstream.Msg, error) {
	first, err := consumer.Fetch(1, s.limits()...)
	if err != nil {
		return nil, err
	}
	var messages []jetstream.Msg
	for msg := range first.Messages() {
		messages = append(messages, msg)
	}
	most := s.Slots - 1
	if allowed := consumer.CachedInfo().Config.MaxRequestBatch; allowed > 0 {
		most = min(most, allowed) // the broker refuses a pull for more
	}
	if len(messages) == 0 || most <= 0 || ctx.Err() != nil {
		return messages, first.Error()
	}
	more, err := consumer.FetchNoWait(most)
	if err != nil {
		return messages, nil // what did not come now comes with the next pull
	}
	for msg := range more.Messages() {
		messages = append(messages, msg)
	}
	return messages, nil
}
