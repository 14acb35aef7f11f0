package writer

import (
	"context"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
)

// batchMessages is how many results are applied in one transaction: enough that COMMIT costs little, few enough that row
// locks are held for some tens of milliseconds.
const batchMessages = 4

// mostConnections bounds the pool. A chain needs one at a time; with more chains than this they take turns.
const mostConnections = 16

// schemaLook is how often the schema is looked at.
const schemaLook = 5 * time.Second

// Config is what a writer needs to know.
type Config struct {
	// Database is where wallet_balances is.
	Database secret.Text
	Broker   stream.Options
	// Chains are those whose results are applied; endpoints are not needed.
	Chains []chain.Config
	// Interval is how long a row with a value rests until it is due again.
	Interval time.Duration
}

// Load reads the configuration. Faults go to env.
func Load(env *service.Env) Config {
	return Config{
		Database: env.Require("DATABASE_URL", env.Secret("DATABASE_URL"), "the database of wallet_balances, such as postgres://db.example:5432/app"),
		Broker:   stream.LoadOptions(env, "writer"),
		Chains:   env.Chains(),
		Interval: env.Duration("BALSYNC_SYNC_INTERVAL", 30*time.Second, time.Second, 24*time.Hour),
	}
}

// Run applies the results of every chain until ctx ends; then intake stops, what is in hand is finished, and it returns. Several
// instances may serve the same chains. Chains do not wait for one another: each has its consumer, its transactions and its mark.
//
// Dependencies, as /readyz shows them: postgres, and for each chain nats.<chain> (its consumer) and chain.<chain> (whether the
// database has the chain and takes its results).
func Run(ctx context.Context, config Config, process service.Process) error {
	process.Expect("postgres")
	for _, c := range config.Chains {
		process.Expect("nats."+c.Name, "chain."+c.Name)
	}
	m, err := newMetrics(process.Metrics)
	if err != nil {
		return err
	}
	pool, err := schema.OpenPool(config.Database, "balsync-writer", int32(min(len(config.Chains), mostConnections)+1))
	if err != nil {
		return err
	}
	defer pool.Close()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { watch(ctx, pool, process); return nil })
	group.Go(func() error { return serve(ctx, config, process, pool, m) })
	return group.Wait()
}

// serve connects to the broker and runs the chains.
func serve(ctx context.Context, config Config, process service.Process, pool *pgxpool.Pool, m *metrics) error {
	config.Broker.Report = func(err error) { process.Report("nats", err) }
	conn, err := stream.Connect(ctx, config.Broker)
	if err != nil && ctx.Err() != nil {
		return nil // stopped before there was anything to do
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	work, done := service.Grace(ctx)
	defer done()
	var group errgroup.Group
	for _, c := range config.Chains {
		a := newApplier(c, config.Interval, pool, conn, process, m)
		group.Go(func() error { return a.run(ctx, work) })
	}
	return group.Wait()
}

// run serves the chain once the database has it.
func (a *applier) run(ctx, work context.Context) error {
	if !a.prepare(ctx) {
		return nil
	}
	source := stream.Source{Stream: stream.Results, Durable: stream.WriteDurable(string(a.chain.Family), a.chain.Name), Slots: batchMessages,
		Report: func(err error) { a.process.Report("nats."+a.chain.Name, err) }}
	return a.conn.Batches(ctx, work, source, a.handle)
}

// watch reports whether the database is there, has our columns, views and indexes, and lets us use them.
func watch(ctx context.Context, pool *pgxpool.Pool, process service.Process) {
	for ctx.Err() == nil {
		look, cancel := context.WithTimeout(ctx, schemaLook)
		err := schema.Ready(look, pool)
		if err == nil {
			err = schema.Allowed(look, pool, schema.Writer)
		}
		cancel()
		if ctx.Err() == nil {
			process.Report("postgres", err)
		}
		_ = pause(ctx, schemaLook) // its error ends the loop
	}
}
