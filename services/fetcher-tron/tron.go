// Package fetchertron reads the balances of TRON chains: claims in, proven balances out.
//
// The loop that takes claims and publishes results is shared/fetch. Here is its Reader for the family:
//
//	rows ─ plan ─► calls ─ Pick ─► endpoint ─ its best rung ─► values
//	          │              ▲           scanner · Multicall3     └► suspects ─ confirm (single calls) ─► row errors
//	          └► bad_address │ next endpoint for the rows
//	             bad_token   └── that this one failed
//
// Balances are read from the solidified state (WalletSolidity), which is some twenty blocks old and does not change any more. The state
// of the newest block, which `finality: head` asks for, holds transactions that no block has yet and may never have.
//
// What a value rests on, read in bulk: the same answer says that it is of the configured chain, and of which block or a later one. Read
// alone: the id of block 0 was the configured one on the same connection, before the value and after it, and the height is one that the
// same view had told of before. Either way the height is not above what the pool agrees on, and the node gave a whole number. Whatever
// is less is an error: of the row when its own token says so, twice; else of the endpoint, and the row is tried elsewhere.
//
// An endpoint's URL is grpcs://host:port, or grpc://host:port for one without TLS; keys go into its headers.
package fetchertron

import (
	"context"
	"crypto/tls"
	"errors"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/upstream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"golang.org/x/sync/errgroup"
)

// Config are the service's settings.
type Config struct {
	// Chains are those to serve, with their endpoints.
	Chains []chain.Config
	// NATS is where claims come from and results go.
	NATS stream.Options
	// Fetch are the loop's settings, for each chain.
	Fetch fetch.Config
	// Timeout bounds one call to a node.
	Timeout time.Duration
	// Calls is how many calls of one claim are under way at once. A node has few threads for them: more of them only wait there.
	Calls int
	// Weight is the most that one request of many may weigh: a token's balance weighs 5, the coin's 1. Endpoints that take less are learnt.
	Weight int
	// Route is the best way to read that is used: one of the routes of a proof, "" for whatever endpoints can do. Only benches set it.
	Route string
	// Slack is how many blocks the height of a single call is lowered by: as many as the nodes behind one address may be apart. 0 is for
	// endpoints that are one node each.
	Slack int64
	// HeadAge is how old the newest block of the view may be by this machine's clock. The solidified state is about a minute old.
	HeadAge time.Duration
	// MaxAnswer is the largest answer that is read, in bytes: an account carries its votes and tokens.
	MaxAnswer int
	// CheckEvery is how often the chain and the head of every endpoint are checked.
	CheckEvery time.Duration

	// budgets are shared by the chains of the process, as providers' keys are; nil means that each has its own.
	budgets *upstream.Budgets
	// trust are the certificates of tests.
	trust *tls.Config
}

// Load reads the configuration; faults go to env.
func Load(env *service.Env) Config {
	config := Config{
		Chains: env.ServedChains(chain.TRON),
		NATS:   stream.LoadOptions(env, "fetcher-tron"),
		Fetch: fetch.Config{
			SweepSlots: env.Int("BALSYNC_SWEEP_SLOTS", 4, 1, 64),
			FastSlots:  env.Int("BALSYNC_FAST_SLOTS", 2, 1, 16),
			Patience:   env.Duration("BALSYNC_PATIENCE", 15*time.Second, time.Second, 2*time.Minute),
		},
		Timeout:    env.Duration("BALSYNC_RPC_TIMEOUT", 5*time.Second, 100*time.Millisecond, time.Minute),
		Calls:      env.Int("BALSYNC_TRON_CALLS", 8, 1, 64),
		Weight:     env.Int("BALSYNC_TRON_WEIGHT", 1000, 5, 2500),
		Slack:      int64(env.Int("BALSYNC_TRON_SLACK", 2, 0, 20)),
		HeadAge:    env.Duration("BALSYNC_TRON_HEAD_AGE", 3*time.Minute, 10*time.Second, 24*time.Hour),
		MaxAnswer:  32 << 20,
		CheckEvery: 10 * time.Second,
	}
	for _, c := range config.Chains {
		if _, err := parseToken(c.Multicall); c.Multicall != "" && err != nil {
			env.Fault("chain %q, multicall: %w", c.Name, err)
		}
		for _, e := range c.Endpoints {
			if _, _, err := parseURL(e.URL); err != nil {
				env.Fault("chain %q, endpoint %q: %w", c.Name, e.Name, err)
			}
		}
	}
	return config
}

// errNoChain is the error of a service with nothing to do.
var errNoChain = errors.New("no tron chain to serve: the chains file (BALSYNC_CHAINS) has none")

// Run serves the claims of the configured chains until ctx ends; claims in hand are finished. A chain whose nodes are down, or
// are of another chain, is served all the same: its claims are answered with errors, so that their leases are freed.
func Run(ctx context.Context, config Config, process service.Process) error {
	if len(config.Chains) == 0 {
		return errNoChain
	}
	for _, c := range config.Chains {
		nats := "nats." + c.Name
		process.Expect(dependency(c), nats, nats+"."+string(wire.Sweep), nats+"."+string(wire.Fast))
	}
	config.NATS.Report = func(err error) { process.Report("nats", err) }
	conn, err := stream.Connect(ctx, config.NATS)
	if err != nil && ctx.Err() != nil {
		return nil // stopped before there was anything to do
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	fleets, err := newFleets(config, process)
	if err != nil {
		return err
	}
	for _, f := range fleets {
		defer f.close()
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, f := range fleets {
		checked := make(chan struct{})
		group.Go(func() error {
			f.watch(ctx, config.CheckEvery, func() { close(checked) })
			return nil
		})
		group.Go(func() error {
			<-checked // before it every claim would be answered "not checked yet"
			return fetch.Run(ctx, config.Fetch, f.chain, conn, &reader{fleet: f, calls: config.Calls}, process)
		})
	}
	return group.Wait()
}
