// Package fetcherevm reads the balances of EVM chains: claims in, proven balances out.
//
// The loop that takes claims and publishes results is shared/fetch. Here is its Reader for the family:
//
//	rows ─ plan ─► calls ─ Pick ─► endpoint ─ pin ─► block ─ admit ─ decimals ─ read ─► values
//	          │              ▲                                   │            │    │
//	          └► bad_address │ next endpoint for the rows        └► tokens    │    └► suspects ─ confirm ─► row errors
//	             bad_token   └── that this one failed               shut out  └► unknown: no value
//
// Each endpoint is read on the best rung of a ladder that it was seen to have:
//
//	1 scanner-override   shared/scanner at an address that a state override gives it   500 → 2500 balances a request
//	2 scanner-create     the same as initcode of a call without a recipient            500 → 600
//	3 multicall3         aggregate3 of the chain's Multicall3                          500
//	4 batch              JSON-RPC batch, each element with its gas                     up to BALSYNC_RPC_BATCH
//	5 single             one call a balance
//
// A probe, by what the node does and never by its name, holds each rung against single calls; two structural failures in a row
// leave a rung until the next regular probe. All rungs give the same values and the same row errors.
//
// What a value rests on: the endpoint's chain id was the configured one in the same answer, every call named its block, the block
// is not above what the pool agrees on, and the node gave a whole number. On rungs 1 to 3 the EVM itself attests chain, height
// and parent beside the values; an answer of another block is thrown away, whoever gave it. An endpoint that reads at another
// block than it is asked for is not used at all: to take the height that it attests for the values' own would be right on
// the rungs that attest one, and wrong without a sign on the others. Whatever is less is an error: of the row when
// its own token says so, alone as well as together with others; else of the endpoint, and the row is tried elsewhere.
//
// A token whose balanceOf depends on who asks gives contracts, and so rungs 1 to 3, what it likes; that cannot be noticed. One that
// refuses contracts is noticed by the single call that confirms, and read from outside for an hour.
package fetcherevm

import (
	"context"
	"errors"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/upstream"
)

// Config are the service's settings.
type Config struct {
	// Chains are those to serve, with their endpoints.
	Chains []chain.Config
	// NATS is where claims come from and results go.
	NATS stream.Options
	// Fetch are the loop's settings, for each chain.
	Fetch fetch.Config
	// Timeout bounds one request to a node.
	Timeout time.Duration
	// Route is the best way to read that is used: one of the routes of a proof, "" for whatever endpoints can do.
	Route string
	// BatchSize is the most elements of a JSON-RPC batch; 1 means no batches. Endpoints that take less are learnt.
	BatchSize int
	// Gas is what a token may burn in a call; MaxGas what it may burn alone, once, when that was not enough.
	Gas, MaxGas uint64
	// MaxAnswer is the largest answer that is read, in bytes; of a scan less.
	MaxAnswer int64
	// MaxBody is the largest request for several balances, in bytes; 0 means 1 MB.
	MaxBody int
	// CheckEvery is how often the chain id and the head of every endpoint are checked.
	CheckEvery time.Duration

	// budgets are shared by the chains of the process, as providers' keys are; nil means that each has its own.
	budgets *upstream.Budgets
	// latencyGap is 0 for the default; tests that need every endpoint asked widen it: a busy machine makes any of them slow.
	latencyGap time.Duration
}

// maxBody is what every node takes: geth 5 MiB, anvil 2.
const maxBody = 1_000_000

// Load reads the configuration; faults go to env.
func Load(env *service.Env) Config {
	config := Config{
		Chains: env.ServedChains(chain.EVM),
		NATS:   stream.LoadOptions(env, "fetcher-evm"),
		Fetch: fetch.Config{
			SweepSlots: env.Int("BALSYNC_SWEEP_SLOTS", 4, 1, 64),
			FastSlots:  env.Int("BALSYNC_FAST_SLOTS", 2, 1, 16),
			Patience:   env.Duration("BALSYNC_PATIENCE", 15*time.Second, time.Second, 2*time.Minute),
		},
		Timeout:    env.Duration("BALSYNC_RPC_TIMEOUT", 5*time.Second, 100*time.Millisecond, time.Minute),
		Route:      env.OneOf("BALSYNC_RPC_ROUTE", routes[override:]...),
		BatchSize:  env.Int("BALSYNC_RPC_BATCH", 100, 1, 1000),
		Gas:        uint64(env.Int("BALSYNC_CALL_GAS", 300_000, 50_000, 10_000_000)),
		MaxGas:     uint64(env.Int("BALSYNC_CALL_GAS_MAX", 3_000_000, 50_000, 50_000_000)),
		MaxAnswer:  8 << 20,
		CheckEvery: 10 * time.Second,
	}
	if config.MaxGas < config.Gas {
		env.Fault("BALSYNC_CALL_GAS_MAX=%d: must be at least BALSYNC_CALL_GAS, %d", config.MaxGas, config.Gas)
	}
	return config
}

// errNoChain is the error of a service with nothing to do.
var errNoChain = errors.New("no evm chain to serve: the chains file (BALSYNC_CHAINS) has none")

// Run serves the claims of the configured chains until ctx ends; claims in hand are finished. A chain whose nodes are down, or
// are of another chain, is served all the same: its claims are answered with errors, so that their leases are freed.
func Run(ctx context.Context, config Config, process service.Process) error {
	if len(config.Chains) == 0 {
		return errNoChain
	}
	fetcher := fetch.Fetcher{Chains: config.Chains, NATS: config.NATS, Config: config.Fetch, CheckEvery: config.CheckEvery}
	fetcher.Open = func() ([]fetch.Fleet, error) {
		fleets, err := newFleets(config, process)
		list := make([]fetch.Fleet, len(fleets))
		for i, f := range fleets {
			list[i] = fetch.Fleet{Chain: f.chain, Reader: &reader{fleet: f, gas: config.Gas, maxGas: config.MaxGas}, Round: f.round}
		}
		return list, err
	}
	return fetcher.Serve(ctx, process)
}
