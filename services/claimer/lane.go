package claimer

import (
	"context"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/uuid"
	"github.com/rs/zerolog"
)

// lane claims the rows of one chain, either by sweep or by the fast lane. It belongs to one goroutine.
type lane struct {
	name    wire.Lane
	chain   chain.Config
	id      uuid.UUID // of the chain in the database
	config  Config
	store   *Store
	conn    *stream.Conn
	backlog *backlog
	gate    *gate
	metrics *metrics
	process service.Process
	log     zerolog.Logger
	// rest waits, or returns early and false when ctx ends.
	rest func(ctx context.Context, d time.Duration) bool
}

// newLane gives a lane with its gate. The sweep begins with the smallest claims and finds out what the chain can take; the fast lane's
// claims are small anyway, and the first few are let through at once.
func (c *crew) newLane(w *worker, name wire.Lane) *lane {
	g := newGate(firstAsk, c.config.BatchSize, firstAsk, c.config.Messages)
	if name == wire.Fast {
		g = newGate(c.config.FastRows, c.config.FastRows, firstFast*c.config.FastRows, c.config.Messages)
	}
	return &lane{name: name, chain: w.chain, id: w.id, config: c.config, store: c.store, conn: c.conn, backlog: newBacklog(c.conn, w.chain, name),
		gate: g, metrics: c.metrics, process: c.process, rest: pause,
		log: c.process.Log.With().Str("chain", w.chain.Name).Str("lane", string(name)).Logger()}
}

// firstAsk is the first claim of a sweep, in rows; firstFast how many claims of the fast lane may be unfinished at first.
const (
	firstAsk  = 10
	firstFast = 4
)

// room asks the broker and the gate how many rows may be leased now. An error is no room: no answer, no claims.
func (l *lane) room(ctx context.Context) (int, error) {
	unfinished, err := l.backlog.unfinished(ctx)
	if err != nil {
		return 0, err
	}
	now := time.Now()
	rows := l.gate.room(unfinished, now)
	l.metrics.unfinished.WithLabelValues(l.chain.Name, string(l.name)).Set(float64(unfinished))
	l.metrics.rate.WithLabelValues(l.chain.Name, string(l.name)).Set(l.gate.current(now))
	return rows, nil
}

// settle does what is left to do for the rows of a claim: it gives moved ones their chain and publishes the leased ones.
func (l *lane) settle(ctx, work context.Context, c *Claimed, took time.Duration) error {
	l.count(c, took)
	if len(c.Moved) > 0 {
		limited, cancel := context.WithTimeout(work, claimFor)
		defer cancel()
		n, err := l.store.Rehome(limited, c.Moved)
		if err != nil {
			// Their chain is as before, so the next pass finds them again.
			l.log.Warn().Err(err).Int("rows", len(c.Moved)).Msg("rows not moved to their chain")
		} else {
			l.log.Info().Int64("rows", n).Msg("rows moved to their chain")
		}
	}
	if len(c.Rows) == 0 {
		return nil
	}
	// Here the lease is committed and nobody knows of it: a crash before the broker has the claim costs these rows one lease. They lapse,
	// and a sweep leases them again.
	if err := l.deliver(ctx, work, c); err != nil {
		return err
	}
	l.gate.claimed(len(c.Rows), c.Full(), time.Now())
	return nil
}

func (l *lane) count(c *Claimed, took time.Duration) {
	l.metrics.claimTook.WithLabelValues(l.chain.Name, string(l.name)).Observe(took.Seconds())
	for verdict, n := range c.Verdicts {
		l.metrics.rows.WithLabelValues(l.chain.Name, string(l.name), string(verdict)).Add(float64(n))
	}
	l.metrics.lapsed.WithLabelValues(l.chain.Name, string(l.name)).Add(float64(c.Lapsed))
	if c.Picked > 0 {
		l.log.Debug().Str("claim", c.Name).Int("asked", c.Asked).Int("picked", c.Picked).Int("rows", len(c.Rows)).Dur("took", took).Msg("claim")
	}
}

// report tells /readyz about the broker and the database as this lane finds them.
func (l *lane) report(dependency string, err error) {
	name := dependency + "." + l.chain.Name
	if l.name == wire.Fast {
		name += ".fast"
	}
	l.process.Report(name, err)
}

// turn is one round of a lane: the gate, a claim, and what follows from it. step leases at most so many rows, or does without a claim.
// It gives how long to wait before the next round when the round went wrong or the gate is closed, and 0 when it went well.
func (l *lane) turn(ctx, work context.Context, t *trouble, step func(ctx context.Context, rows int) (*Claimed, error)) time.Duration {
	rows, err := l.room(ctx)
	if ctx.Err() != nil {
		return 0
	}
	if err != nil {
		l.report("nats", err)
		return t.failed(l.log, "ask the broker", err)
	}
	if rows == 0 {
		l.report("nats", nil)
		return t.closed()
	}
	limited, cancel := context.WithTimeout(work, claimFor)
	defer cancel()
	began := time.Now()
	claimed, err := step(limited, rows)
	if l.report("postgres", err); err != nil {
		return t.failed(l.log, "lease", err)
	}
	if claimed != nil {
		err = l.settle(ctx, work, claimed, time.Since(began))
	}
	if l.report("nats", err); err != nil {
		return t.failed(l.log, "publish", err)
	}
	t.over(l.log)
	return 0
}
