package claimer

import (
	"context"
	"fmt"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/nats-io/nats.go/jetstream"
)

// backlog counts what is unfinished of a lane: messages that no consumer has been given yet, and those not acknowledged. It belongs to
// one goroutine.
type backlog struct {
	conn      *stream.Conn
	consumers []consumer
}

type consumer struct {
	stream, durable string
	bound           jetstream.Consumer // nil: to be found again
}

// newBacklog gives the backlog that gates a lane. The sweep waits for both halves of the pipeline, so that a slow writer slows it too.
// The fast lane waits for its own claims alone: the results of a full sweep are no concern of a row that was asked for now.
func newBacklog(conn *stream.Conn, c chain.Config, lane wire.Lane) *backlog {
	b := &backlog{conn: conn, consumers: []consumer{{stream: stream.Claims, durable: stream.FetchDurable(string(c.Family), c.Name, lane)}}}
	if lane == wire.Sweep {
		b.consumers = append(b.consumers, consumer{stream: stream.Results, durable: stream.WriteDurable(string(c.Family), c.Name)})
	}
	return b
}

// unfinished asks the broker. An error means that nothing is known, and so that nothing may be leased.
func (b *backlog) unfinished(ctx context.Context) (int, error) {
	sum := uint64(0)
	for i := range b.consumers {
		n, err := b.ask(ctx, &b.consumers[i])
		if err != nil {
			return 0, fmt.Errorf("backlog: %w", err)
		}
		sum += n
	}
	return int(min(sum, 1<<30)), nil
}

func (b *backlog) ask(ctx context.Context, c *consumer) (uint64, error) {
	if c.bound == nil {
		bound, err := b.conn.Bind(ctx, c.stream, c.durable)
		if err != nil {
			return 0, err
		}
		c.bound = bound
	}
	info, err := b.conn.Info(ctx, c.bound)
	if err != nil {
		c.bound = nil
		return 0, err
	}
	return info.NumPending + uint64(max(info.NumAckPending, 0)), nil
}
