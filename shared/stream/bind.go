package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ErrDrift is returned for a consumer that was provisioned by another version or not at all.
var ErrDrift = errors.New("not provisioned for this version: run `balsync provision`")

// Bind finds a durable consumer and checks that it is provisioned for this version.
func (c *Conn) Bind(ctx context.Context, stream, durable string) (jetstream.Consumer, error) {
	consumer, err := c.JS.Consumer(ctx, stream, durable)
	switch {
	case errors.Is(err, jetstream.ErrConsumerNotFound), errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, fmt.Errorf("consumer %s of stream %s does not exist: %w", durable, stream, ErrDrift)
	case err != nil:
		return nil, fmt.Errorf("find consumer %s of stream %s: %w", durable, stream, c.explain(err))
	}
	if have := consumer.CachedInfo().Config.Metadata[configKey]; have != ConfigNumber {
		return nil, fmt.Errorf("consumer %s has configuration number %q, %q is needed: %w", durable, have, ConfigNumber, ErrDrift)
	}
	return consumer, nil
}

// Info asks the broker about a consumer and takes the reading for [Conn.Clock] from the answer.
func (c *Conn) Info(ctx context.Context, consumer jetstream.Consumer) (*jetstream.ConsumerInfo, error) {
	sent := time.Now()
	info, err := consumer.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask about consumer: %w", c.explain(err))
	}
	c.Clock.Observe(info.TimeStamp, sent, time.Now())
	return info, nil
}
