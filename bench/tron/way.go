package tron

import (
	"context"
	"fmt"
	"runtime"
	"time"

	fetchertron "github.com/balance-sync/balance-sync/services/fetcher-tron"
	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// way is how balances are read: a route of the fetcher.
type way struct{ name, route string }

// ways in the order of the table; the first is the measure of the others.
var ways = []way{single, {"Multicall3", "multicall3"}, {"scanner (RETURN)", "scanner-return"}, scanner}

var (
	single  = way{"single calls", "single"}
	scanner = way{"scanner (REVERT)", "scanner-revert"}
)

// warmRows are read before the figures are taken: by then the tokens' decimals are known and an endpoint gets as many calls at once as it
// ever does.
const warmRows = 1000

// figures are what one way did.
type figures struct {
	rows    int
	took    time.Duration
	traffic traffic
	allocs  uint64
}

func (f figures) rate() float64 { return float64(f.rows) / f.took.Seconds() }

// reader gives the fetcher's reader for a URL and a way, its endpoint checked. Settings are production's defaults, but that the chain
// stands still and is one node's, which allows for an old head and exact heights. Its connection ends with ctx.
func (s *server) reader(ctx context.Context, url string, w way, rps float64) (fetch.Reader, error) {
	config := fetchertron.Config{Fetch: fetch.Config{SweepSlots: 4, FastSlots: 2, Patience: 15 * time.Second}, Timeout: 20 * time.Second, Route: w.route,
		Calls: 8, Weight: 1000, HeadAge: 24 * time.Hour, MaxAnswer: 32 << 20, CheckEvery: time.Hour}
	c := chain.Config{Name: "bench", Family: chain.TRON, Genesis: s.Genesis, Finality: chain.Finality{Tag: "solid"}, BlockTime: 3 * time.Second, HeightSlack: 50,
		Multicall: multicallAt, Endpoints: []chain.Endpoint{{Name: "trondev", URL: secret.New(url), RPS: rps}}}
	process := service.Process{Name: "bench", Log: zerolog.Nop(), Metrics: prometheus.NewRegistry(), Health: service.NewHealth(), Scrub: secret.NewScrubber()}
	return fetchertron.NewReader(ctx, config, c, process)
}

// measure reads some of the rows to warm up, then the first n of them for the figures.
func (s *server) measure(ctx context.Context, link int, w way, rows []fetch.Row, claim, n int) (figures, []fetch.Outcome, error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	r, err := s.reader(ctx, s.Links[link].URL, w, 0)
	if err != nil {
		return figures{}, nil, err
	}
	if _, err := read(ctx, r, w, rows[:min(len(rows), warmRows)], claim); err != nil {
		return figures{}, nil, err
	}
	before, err := s.traffic(link)
	if err != nil {
		return figures{}, nil, err
	}
	var first, last runtime.MemStats
	runtime.ReadMemStats(&first)
	began := time.Now()
	outcomes, err := read(ctx, r, w, rows[:n], claim)
	took := time.Since(began)
	runtime.ReadMemStats(&last)
	if err != nil {
		return figures{}, nil, err
	}
	after, err := s.traffic(link)
	return figures{n, took, after.since(before), last.Mallocs - first.Mallocs}, outcomes, err
}

// read reads the rows claim by claim, one after another, and checks that each came by the way's route.
func read(ctx context.Context, r fetch.Reader, w way, rows []fetch.Row, claim int) ([]fetch.Outcome, error) {
	outcomes := make([]fetch.Outcome, 0, len(rows))
	for at := 0; at < len(rows); at += claim {
		outcomes = append(outcomes, r.Read(ctx, rows[at:min(at+claim, len(rows))], 0)...)
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

// differ counts the rows whose value or height is not the one in truth, whose first rows they are.
func differ(truth, outcomes []fetch.Outcome) (n int) {
	for i, o := range outcomes {
		if o.Raw != truth[i].Raw || o.Proof.Height != truth[i].Proof.Height {
			n++
		}
	}
	return n
}
