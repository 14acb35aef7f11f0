package evm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"time"

	fetcherevm "github.com/balance-sync/balance-sync/services/fetcher-evm"
	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"
)

// way is how balances are read: a route of the fetcher, and how many claims are in hand at once.
type way struct {
	name, route string
	claims      int
}

// ways in the order of the table; the first is the measure of the others.
var ways = []way{
	{"single calls", "single", 1},
	{"JSON batch", "batch", 1},
	{"Multicall3", "multicall3", 1},
	{"scanner, initcode", "scanner-create", 1},
	{"scanner", "scanner-override", 1},
	{"scanner, 2 claims", "scanner-override", 2},
}

// claimRows is how many rows a claim has, as by default in production.
const claimRows = 1000

// figures are what one way did.
type figures struct {
	rows    int
	took    time.Duration
	traffic traffic
	allocs  uint64
}

func (f figures) rate() float64 { return float64(f.rows) / f.took.Seconds() }

// reader gives the fetcher's reader for one link and way, its endpoint checked.
func reader(ctx context.Context, l servedLink, w way) (fetch.Reader, error) {
	config := fetcherevm.Config{Fetch: fetch.Config{SweepSlots: 4, FastSlots: 2, Patience: 15 * time.Second}, Timeout: 20 * time.Second, Route: w.route,
		BatchSize: 100, Gas: 300_000, MaxGas: 3_000_000, MaxAnswer: 8 << 20, CheckEvery: 10 * time.Second}
	c := chain.Config{Name: "bench", Family: chain.EVM, ChainID: chainID, Finality: chain.Finality{Tag: "latest"}, BlockTime: time.Second, HeightSlack: 50,
		Endpoints: []chain.Endpoint{{Name: l.Node, URL: secret.New(l.URL)}}}
	process := service.Process{Name: "bench", Log: zerolog.Nop(), Metrics: prometheus.NewRegistry(), Health: service.NewHealth(), Scrub: secret.NewScrubber()}
	return fetcherevm.NewReader(ctx, config, c, process)
}

// measure reads all rows once to warm up, so that sizes are learnt and connections open, then again for the figures.
func measure(ctx context.Context, l servedLink, w way, rows []fetch.Row) (figures, []fetch.Outcome, error) {
	r, err := reader(ctx, l, w)
	if err != nil {
		return figures{}, nil, err
	}
	if _, err := read(ctx, r, w, rows); err != nil {
		return figures{}, nil, err
	}
	before, err := count(ctx, l)
	if err != nil {
		return figures{}, nil, err
	}
	var start, end runtime.MemStats
	runtime.ReadMemStats(&start)
	began := time.Now()
	outcomes, err := read(ctx, r, w, rows)
	took := time.Since(began)
	runtime.ReadMemStats(&end)
	if err != nil {
		return figures{}, nil, err
	}
	after, err := count(ctx, l)
	return figures{len(rows), took, after.since(before), end.Mallocs - start.Mallocs}, outcomes, err
}

// read reads the rows claim by claim and checks that each came by the way's route.
func read(ctx context.Context, r fetch.Reader, w way, rows []fetch.Row) ([]fetch.Outcome, error) {
	outcomes := make([]fetch.Outcome, len(rows))
	var group errgroup.Group
	group.SetLimit(w.claims)
	for at := 0; at < len(rows); at += claimRows {
		group.Go(func() error {
			end := min(at+claimRows, len(rows))
			copy(outcomes[at:end], r.Read(ctx, rows[at:end], 0))
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i, o := range outcomes {
		switch {
		case o.Err != nil:
			return nil, fmt.Errorf("%s: row %d: %s: %s", w.name, i, o.Err.Code, o.Err.Message)
		case o.Proof.Route != w.route:
			return nil, fmt.Errorf("%s: row %d was read by %s", w.name, i, o.Proof.Route)
		}
	}
	return outcomes, nil
}

// count asks a link for its traffic.
func count(ctx context.Context, l servedLink) (t traffic, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.URL+countersPath, nil)
	if err != nil {
		return t, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return t, fmt.Errorf("read the traffic: %w", err)
	}
	defer response.Body.Close()
	return t, json.NewDecoder(response.Body).Decode(&t)
}
