package fetch

import (
	"context"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"
)

// Config are the loop's settings.
type Config struct {
	// SweepSlots and FastSlots are how many claims of a chain are worked on at once, lane by lane, at least 1: a full sweep never holds up
	// the fast lane.
	SweepSlots, FastSlots int
	// Patience bounds how long a claim is read, retries included, within its deadline: leases are held for seconds.
	Patience time.Duration
}

// ClockRenewal is how often the broker's clock is read.
const ClockRenewal = 30 * time.Second

// healthInterval is how often the connection is asked whether the broker refuses something: an operator sees it on /readyz soon.
const healthInterval = 5 * time.Second

// loop serves one chain.
type loop struct {
	config  Config
	chain   chain.Config
	conn    *stream.Conn
	reader  Reader
	process service.Process
	metrics *metrics
	log     zerolog.Logger
	ackWait time.Duration // of the claims' consumers; written before any claim is taken
}

// Run serves the claims of one chain until ctx ends: then intake stops, claims in hand are finished, and it returns.
// Several instances may serve the same chain.
func Run(ctx context.Context, config Config, c chain.Config, conn *stream.Conn, reader Reader, process service.Process) error {
	work, done := service.Grace(ctx)
	defer done()
	return run(ctx, work, config, c, conn, reader, process)
}

// run takes claims until ctx ends and works on them with work.
func run(ctx, work context.Context, config Config, c chain.Config, conn *stream.Conn, reader Reader, process service.Process) error {
	m, err := newMetrics(process.Metrics, c.Name)
	if err != nil {
		return err
	}
	l := &loop{config: config, chain: c, conn: conn, reader: reader, process: process, metrics: m, log: process.Log.With().Str("chain", c.Name).Logger()}
	lanes := map[wire.Lane]int{wire.Sweep: config.SweepSlots, wire.Fast: config.FastSlots}
	process.Expect(l.dependency())
	for lane := range lanes {
		process.Expect(l.dependency() + "." + string(lane))
	}
	l.ackWait = l.readClock(ctx) // first, so that no expired claim is read for want of a clock
	var group errgroup.Group
	group.Go(func() error { l.keepClock(ctx); return nil })
	for lane, slots := range lanes {
		source := stream.Source{Stream: stream.Claims, Durable: stream.FetchDurable(string(c.Family), c.Name, lane), Slots: slots,
			Report: func(err error) { process.Report(l.dependency()+"."+string(lane), err) }}
		group.Go(func() error { return conn.Pull(ctx, work, source, l.handle) })
	}
	return group.Wait()
}

// dependency is the chain's broker on /readyz.
func (l *loop) dependency() string { return "nats." + l.chain.Name }

// keepClock renews the reading of the broker's clock, and between readings reports what the broker refuses.
func (l *loop) keepClock(ctx context.Context) {
	ticker := time.NewTicker(healthInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if _, age, ok := l.conn.Clock.Now(); ok && age < ClockRenewal {
			l.process.Report(l.dependency(), l.conn.Healthy())
		} else {
			l.readClock(ctx)
		}
	}
}

// readClock reads the broker's clock, and tries until it has or ctx ends. It gives the AckWait of the claims' consumer, 0 when ctx ended.
func (l *loop) readClock(ctx context.Context) time.Duration {
	for {
		consumer, err := l.conn.Bind(ctx, stream.Claims, stream.FetchDurable(string(l.chain.Family), l.chain.Name, wire.Sweep))
		if err == nil {
			_, err = l.conn.Info(ctx, consumer)
		}
		switch {
		case ctx.Err() != nil:
			return 0
		case err == nil:
			l.process.Report(l.dependency(), l.conn.Healthy())
			return consumer.CachedInfo().Config.AckWait
		}
		l.process.Report(l.dependency(), err)
		select {
		case <-ctx.Done():
		case <-time.After(500 * time.Millisecond):
		}
	}
}
