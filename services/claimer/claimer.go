package claimer

import (
	"context"
	"fmt"

	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// connections bounds the pool. A statement takes milliseconds, and the lanes of all chains take turns at a few connections.
const connections = 8

// Run claims for the configured chains until ctx ends. Then no more rows are leased, the claim that each lane has in hand is published
// or given back within [service.GracePeriod], and it returns nil. It returns an error only for a configuration that cannot work; a
// database or a broker that is away is waited for.
func Run(ctx context.Context, config Config, process service.Process) error {
	pool, err := schema.OpenPool(config.Database, "balsync-claimer", connections)
	if err != nil {
		return err
	}
	defer pool.Close()
	m, err := newMetrics(process.Metrics)
	if err != nil {
		return err
	}
	process.Expect("postgres")
	for _, c := range config.Chains {
		process.Expect("nats." + c.Name)
	}
	config.Broker.Report = func(err error) { process.Report("nats", err) }
	conn, err := stream.Connect(ctx, config.Broker)
	if err != nil && ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("claimer: %w", err)
	}
	defer conn.Close()

	work, done := service.Grace(ctx)
	defer done()
	p := &crew{config: config, pool: pool, conn: conn, metrics: m, process: process,
		store:   NewStore(pool, process.Instance, config.Lease, config.BatchSize, config.FastRows),
		workers: map[string]*worker{}, states: map[string]state{}, strange: map[uuid.UUID]bool{}}
	var loops errgroup.Group
	loops.Go(func() error { p.keep(ctx, work); return nil })
	loops.Go(func() error { p.keepOrphans(ctx, work); return nil })
	return loops.Wait()
}
