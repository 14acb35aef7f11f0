package writer

import (
	"context"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
)

// Deliveries of a message after which it is suspected of killing its reader. Past the first it shares a transaction with no other, so that
// those are spared; past the second it is a dead letter, unread. A database that is down does not raise the count,
// since a message in hand is kept alive; only a death, or being handed back at a stop, does.
const (
	aloneAfter   = 3
	suspectAfter = 5
)

// applier serves one chain: it turns messages into rows, settles them, and answers the broker. One goroutine owns it.
type applier struct {
	chain    chain.Config
	interval time.Duration
	store    *Store
	pool     *pgxpool.Pool
	conn     *stream.Conn
	process  service.Process
	metrics  *metrics
	log      zerolog.Logger

	id    uuid.UUID // the chain in the database; set by prepare
	bound mark
}

func newApplier(c chain.Config, interval time.Duration, pool *pgxpool.Pool, conn *stream.Conn, process service.Process, m *metrics) *applier {
	m.expect(c.Name)
	return &applier{chain: c, interval: interval, store: NewStore(pool), pool: pool, conn: conn, process: process, metrics: m,
		log: process.Log.With().Str("chain", c.Name).Logger(), bound: newMark(c)}
}

// report says whether the chain's results can be applied.
func (a *applier) report(err error) { a.process.Report("chain."+a.chain.Name, err) }

// handle applies messages that were delivered together: in one transaction, but for those that are suspected of killing us.
func (a *applier) handle(ctx context.Context, messages []jetstream.Msg) {
	var together []*message
	var alone [][]*message
	for _, msg := range messages {
		meta, err := msg.Metadata()
		if err != nil {
			a.log.Error().Err(err).Msg("result without metadata")
			continue
		}
		switch m := (&message{msg: msg, meta: meta}); {
		case meta.NumDelivered > suspectAfter && a.pool.Ping(ctx) == nil:
			a.bury(ctx, m, "crash_suspect")
		case meta.NumDelivered > aloneAfter:
			alone = append(alone, []*message{m})
		default:
			together = append(together, m)
		}
	}
	a.apply(ctx, together)
	for _, one := range alone {
		a.apply(ctx, one)
	}
}

// apply settles one batch. A crash before COMMIT leaves the messages to be delivered again, one after it too: then the rows
// are found as they are to be.
func (a *applier) apply(ctx context.Context, messages []*message) {
	started := time.Now()
	b := &batch{}
	for _, m := range messages {
		var err error
		if m.result, err = decode(m.msg); err != nil {
			a.bury(ctx, m, err.Error())
			continue
		}
		b.add(m, &a.bound)
	}
	if len(b.messages) == 0 {
		return
	}
	if err := a.settle(ctx, b); err != nil {
		a.log.Warn().Err(err).Int("messages", len(b.messages)).Msg("results go back")
	}
	a.answer(b)
	a.count(b, time.Since(started))
}

// count moves the metrics and logs the batch.
func (a *applier) count(b *batch, took time.Duration) {
	name := a.chain.Name
	fate := map[Fate]int{}
	for _, o := range b.outcomes {
		if o.Fate == "" {
			continue
		}
		fate[o.Fate]++
		if o.Refused != "" {
			a.metrics.refused.WithLabelValues(name, o.Refused).Inc()
		}
	}
	line := a.log.Info().Int("messages", len(b.messages)).Int("rows", len(b.rows)).Dur("took", took)
	for _, f := range fates() {
		if n := fate[f]; n > 0 {
			a.metrics.rows.WithLabelValues(name, string(f)).Add(float64(n))
			line = line.Int(string(f), n)
		}
	}
	a.metrics.batch.WithLabelValues(name).Observe(float64(len(b.rows)))
	a.metrics.took.WithLabelValues(name).Observe(took.Seconds())
	a.metrics.height.WithLabelValues(name).Set(float64(a.bound.height))
	line.Msg("batch applied")
}
