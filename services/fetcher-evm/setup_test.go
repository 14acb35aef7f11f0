package fetcherevm

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/evmdev"
	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

const chainID = 4711

// geth starts a chain with 210 wallets and three blocks.
func geth(t *testing.T, id uint64) *evmdev.Node {
	t.Helper()
	node, err := evmdev.Start(t.Context(), evmdev.Config{ChainID: id, Wallets: 210})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := node.CommitN(3); err != nil {
		t.Fatal(err)
	}
	return node
}

// setup are the settings of tests: production's, with less patience.
func setup() Config {
	return Config{Fetch: fetch.Config{SweepSlots: 2, FastSlots: 1, Patience: 5 * time.Second}, Timeout: 20 * time.Second, BatchSize: 100,
		Gas: 300_000, MaxGas: 3_000_000, MaxAnswer: 8 << 20, CheckEvery: 10 * time.Second, latencyGap: time.Minute}
}

// setupAt are the same settings with a route as the best.
func setupAt(at rung) Config {
	config := setup()
	config.Route = at.String()
	return config
}

// chainOf is the chain under test with an endpoint for each URL: node-0, node-1, …
func chainOf(urls ...string) chain.Config {
	c := chain.Config{Name: "dev", Family: chain.EVM, ChainID: chainID, Finality: chain.Finality{Tag: "latest"}, BlockTime: time.Second, HeightSlack: 50}
	for i, url := range urls {
		c.Endpoints = append(c.Endpoints, chain.Endpoint{Name: "node-" + strconv.Itoa(i), URL: secret.New(url)})
	}
	return c
}

// newProcess is a process of its own; what it logs goes to log.
func newProcess(log io.Writer) service.Process {
	return service.Process{Version: "test", Instance: "test", Log: zerolog.New(log), Metrics: prometheus.NewRegistry(), Health: service.NewHealth(),
		Scrub: secret.NewScrubber()}.As("fetcher-evm")
}

// readerOf gives a reader whose endpoints have been checked once.
func readerOf(t *testing.T, config Config, c chain.Config) *reader {
	t.Helper()
	f, err := newFleet(config, c, newProcess(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	f.round(t.Context())
	return &reader{fleet: f, gas: config.Gas, maxGas: config.MaxGas}
}

// native and token are assets; rowOf is a row to read.
func native() wire.Asset { return wire.Asset{ID: uuid.New(), Decimals: 18, Native: true} }

func token(contract string) wire.Asset {
	return wire.Asset{ID: uuid.New(), Contract: contract, Decimals: 18}
}

// tokenOf is a token with the decimals that it has on the chain.
func tokenOf(t evmdev.Token) wire.Asset {
	return wire.Asset{ID: uuid.New(), Contract: t.Address, Decimals: t.Decimals}
}

func rowOf(asset wire.Asset, address string) fetch.Row {
	return fetch.Row{ID: uuid.New(), Wallet: uuid.New(), Address: address, Asset: asset}
}

// goodRows are the coin, both tokens and the proxy of the first n wallets.
func goodRows(node *evmdev.Node, n int) []fetch.Row {
	assets := []wire.Asset{native(), tokenOf(node.Tokens()[0]), tokenOf(node.Tokens()[1]), tokenOf(node.Token("proxy"))}
	var rows []fetch.Row
	for w := range n {
		for _, asset := range assets {
			rows = append(rows, rowOf(asset, node.Wallet(w)))
		}
	}
	return rows
}

// mustBeTrue compares values with the state trie of the block that their proof names.
func mustBeTrue(t *testing.T, node *evmdev.Node, rows []fetch.Row, outcomes []fetch.Outcome) {
	t.Helper()
	for i, o := range outcomes {
		if o.Err != nil || o.Proof == nil {
			t.Fatalf("row %d (%s of %s): %+v", i, rows[i].Asset.Contract, rows[i].Address, o.Err)
		}
		truth, err := node.Balance(o.Proof.Height, rows[i].Asset.Contract, rows[i].Address)
		if err != nil {
			t.Fatal(err)
		}
		if o.Raw != truth.String() {
			t.Errorf("row %d: %s in block %d, the state has %s", i, o.Raw, o.Proof.Height, truth)
		}
	}
}

// exchange is a request of ours with the node's answer to it.
type exchange struct {
	request, answer string
}

// rewrite lets a test change what the node answers.
func rewrite(node *evmdev.Node, change func(exchange) string) {
	node.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, change(forward(next, r))) // the client judges what it got
		})
	})
}

// forward asks the node and gives both sides as text.
func forward(next http.Handler, r *http.Request) exchange {
	body, _ := io.ReadAll(r.Body) // of a client in this process
	again := r.Clone(context.WithoutCancel(r.Context()))
	again.Header.Del("Accept-Encoding")
	again.Body, again.ContentLength = io.NopCloser(strings.NewReader(string(body))), int64(len(body))
	answer := httptest.NewRecorder()
	next.ServeHTTP(answer, again)
	return exchange{string(body), answer.Body.String()}
}

// codes counts outcomes by "value" or class and code.
func codes(outcomes []fetch.Outcome) map[string]int {
	counts := map[string]int{}
	for _, o := range outcomes {
		switch {
		case o.Err != nil:
			counts[string(o.Err.Class)+" "+o.Err.Code]++
		case o.Raw != "":
			counts["value"]++
		default:
			counts["nothing"]++
		}
	}
	return counts
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
