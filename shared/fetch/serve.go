package fetch

import (
	"context"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/upstream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"golang.org/x/sync/errgroup"
)

// Fleet is the nodes of one chain, as its family makes them.
type Fleet struct {
	Chain  chain.Config
	Reader Reader
	// Round checks every node once, and reports as [Dependency] whether the chain can be read.
	Round func(ctx context.Context)
	// Close ends what the fleet holds, nil when that is nothing.
	Close func()
}

// Dependency is what /readyz calls the nodes of a chain.
func Dependency(c chain.Config) string { return "nodes." + c.Name }

// Fetcher is a service that reads the chains of one family.
type Fetcher struct {
	// Chains are those to serve, at least one.
	Chains []chain.Config
	// NATS is where claims come from and results go.
	NATS stream.Options
	// Config are the loop's settings, for each chain.
	Config Config
	// CheckEvery is how often every node is checked.
	CheckEvery time.Duration
	// Open makes the fleets of the chains, once the broker is there.
	Open func() ([]Fleet, error)
}

// Serve serves the claims of the chains until ctx ends; claims in hand are finished. A chain whose nodes are down, or are of another
// chain, is served all the same: its claims are answered with errors, so that their leases are freed.
func (f Fetcher) Serve(ctx context.Context, process service.Process) error {
	for _, c := range f.Chains {
		nats := "nats." + c.Name
		process.Expect(Dependency(c), nats, nats+"."+string(wire.Sweep), nats+"."+string(wire.Fast))
	}
	f.NATS.Report = func(err error) { process.Report("nats", err) }
	conn, err := stream.Connect(ctx, f.NATS)
	if err != nil && ctx.Err() != nil {
		return nil // stopped before there was anything to do
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	fleets, err := f.Open()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, fleet := range fleets {
		if fleet.Close != nil {
			defer fleet.Close()
		}
		checked := make(chan struct{})
		group.Go(func() error {
			upstream.Watch(ctx, f.CheckEvery, fleet.Round, func() { close(checked) })
			return nil
		})
		group.Go(func() error {
			<-checked // before it every claim would be answered "not checked yet"
			return Run(ctx, f.Config, fleet.Chain, conn, fleet.Reader, process)
		})
	}
	return group.Wait()
}
