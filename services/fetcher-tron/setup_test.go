package fetchertron

import (
	"context"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// setup are the settings of tests: production's, with less patience.
func setup() Config {
	return Config{Fetch: fetch.Config{SweepSlots: 2, FastSlots: 1, Patience: 5 * time.Second}, Timeout: time.Minute, Calls: 8, Weight: 1000, Slack: 2,
		HeadAge: 3 * time.Minute, MaxAnswer: 32 << 20, CheckEvery: 10 * time.Second}
}

// chainOf is the chain under test with an endpoint for each node: node-0, node-1, …
func chainOf(nodes ...*script) chain.Config {
	c := chain.Config{Name: "dev", Family: chain.TRON, Finality: chain.Finality{Tag: "solid"}, BlockTime: 3 * time.Second, HeightSlack: 50}
	for i, node := range nodes {
		c.Genesis = nodes[0].genesisHex()
		c.Endpoints = append(c.Endpoints, chain.Endpoint{Name: "node-" + strconv.Itoa(i), URL: secret.New(node.url)})
	}
	return c
}

// newProcess is a process of its own; what it logs goes to log.
func newProcess(log io.Writer) service.Process {
	return service.Process{Version: "test", Instance: "test", Log: zerolog.New(log), Metrics: prometheus.NewRegistry(), Health: service.NewHealth(),
		Scrub: secret.NewScrubber()}.As("fetcher-tron")
}

// readerOf gives a reader whose endpoints have been checked once.
func readerOf(t *testing.T, config Config, c chain.Config) *reader {
	t.Helper()
	f, err := newFleet(config, c, newProcess(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.close)
	f.round(t.Context())
	return &reader{fleet: f, calls: config.Calls}
}

// native and token are assets; rowOf is a row to read.
func native() wire.Asset { return wire.Asset{ID: uuid.New(), Decimals: 6, Native: true} }

func token(contract string) wire.Asset {
	return wire.Asset{ID: uuid.New(), Contract: contract, Decimals: 6}
}

func rowOf(asset wire.Asset, address string) fetch.Row {
	return fetch.Row{ID: uuid.New(), Wallet: uuid.New(), Address: address, Asset: asset}
}

// goodRows are the coin and both tokens of the first n wallets.
func goodRows(n int) []fetch.Row {
	assets := []wire.Asset{native(), token(tokenA.String()), token(tokenB.String())}
	var rows []fetch.Row
	for w := range n {
		for _, asset := range assets {
			rows = append(rows, rowOf(asset, holder(w).String()))
		}
	}
	return rows
}

// truth is a row's balance in a view.
func (v *view) truth(t *testing.T, row fetch.Row) string {
	t.Helper()
	holder, err := parseAddress(row.Address)
	if err != nil {
		t.Fatal(err)
	}
	if row.Asset.Native {
		return strconv.FormatInt(v.balances[holder], 10)
	}
	contract, err := parseAddress(row.Asset.Contract)
	if err != nil {
		t.Fatal(err)
	}
	balance := v.tokens[contract][holder]
	if balance == nil {
		return "0"
	}
	return balance.String()
}

// mustBeTrue compares values with the solidified view.
func mustBeTrue(t *testing.T, node *script, rows []fetch.Row, outcomes []fetch.Outcome) {
	t.Helper()
	node.mu.Lock()
	defer node.mu.Unlock()
	for i, o := range outcomes {
		if o.Err != nil || o.Proof == nil {
			t.Fatalf("row %d (%s of %s): %+v", i, rows[i].Asset.Contract, rows[i].Address, o.Err)
		}
		if want := node.solid.truth(t, rows[i]); o.Raw != want {
			t.Errorf("row %d: %s at block %d, the state has %s", i, o.Raw, o.Proof.Height, want)
		}
		if o.Proof.Height > node.solid.number {
			t.Errorf("row %d: at block %d of %d", i, o.Proof.Height, node.solid.number)
		}
	}
}

// counts counts outcomes by "value" or class and code.
func counts(outcomes []fetch.Outcome) map[string]int {
	sums := map[string]int{}
	for _, o := range outcomes {
		switch {
		case o.Err != nil:
			sums[string(o.Err.Class)+" "+o.Err.Code]++
		case o.Raw != "":
			sums["value"]++
		default:
			sums["nothing"]++
		}
	}
	return sums
}

// noValue fails the test if any row got one, and says what each got.
func noValue(t *testing.T, outcomes []fetch.Outcome) {
	t.Helper()
	for i, o := range outcomes {
		if o.Raw != "" || o.Err == nil {
			t.Errorf("row %d got %q (%v)", i, o.Raw, o.Err)
		}
	}
}

// on answers calls of a kind with make, all others as the script does.
func on(kind string, make func(inquiry) (proto.Message, error)) func(context.Context, inquiry) (proto.Message, error) {
	return func(_ context.Context, q inquiry) (proto.Message, error) {
		if q.kind == kind {
			return make(q)
		}
		return q.answer(), nil
	}
}

// poisoned is a wallet whose accounts panic.
type poisoned struct{ wallet }

func (poisoned) GetAccount(context.Context, *core.Account, ...grpc.CallOption) (*core.Account, error) {
	panic("a fault of ours")
}

// twoWays is a wallet that asks for accounts over one connection and for blocks over another.
type twoWays struct{ accounts, blocks wallet }

func (w twoWays) GetAccount(ctx context.Context, in *core.Account, options ...grpc.CallOption) (*core.Account, error) {
	return w.accounts.GetAccount(ctx, in, options...)
}

func (w twoWays) TriggerConstantContract(ctx context.Context, in *core.TriggerSmartContract, options ...grpc.CallOption) (*api.TransactionExtention, error) {
	return w.accounts.TriggerConstantContract(ctx, in, options...)
}

func (w twoWays) GetBlock(ctx context.Context, in *api.BlockReq, options ...grpc.CallOption) (*api.BlockExtention, error) {
	return w.blocks.GetBlock(ctx, in, options...)
}
