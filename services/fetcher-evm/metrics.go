package fetcherevm

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of one chain. Those of the pool are the pool's own.
type metrics struct {
	requests      *prometheus.CounterVec   // by endpoint, kind (the route) and outcome: ok or a class of failure
	took          *prometheus.HistogramVec // by endpoint
	resent        *prometheus.CounterVec   // by endpoint
	quarantines   *prometheus.CounterVec   // by endpoint and code
	confirmations *prometheus.CounterVec   // by verdict: confirmed, overturned, open
	rung          *prometheus.GaugeVec     // by endpoint
	demotions     *prometheus.CounterVec   // by endpoint and the route that was left
	rows          *prometheus.CounterVec   // by route
	decimals      *prometheus.CounterVec   // by verdict: match, mismatch, unknown, open
	shut          *prometheus.CounterVec   // by what was done: shut, spared, opened
}

// newMetrics registers the metrics with the chain as a label.
func newMetrics(registry prometheus.Registerer, chain string) (*metrics, error) {
	label := prometheus.Labels{"chain": chain}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "balsync_fetcher_evm_" + name, Help: help, ConstLabels: label}, labels)
	}
	m := &metrics{
		requests: counter("requests_total", "HTTP requests to endpoints, by kind (the route) and outcome (ok or the class of the failure).", "endpoint", "kind", "outcome"),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "balsync_fetcher_evm_request_seconds", Help: "Time of a request to an endpoint.",
			ConstLabels: label, Buckets: prometheus.ExponentialBuckets(0.001, 2, 15)}, []string{"endpoint"}),
		resent:        counter("resent_total", "Requests sent again because a kept-alive connection was dead.", "endpoint"),
		quarantines:   counter("quarantines_total", "Times that an endpoint was taken out until a check admits it, by code: wrong_chain needs a person.", "endpoint", "code"),
		confirmations: counter("confirmations_total", "Row errors of a batch that were read again alone, by verdict.", "verdict"),
		rung: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "balsync_fetcher_evm_rung", ConstLabels: label,
			Help: "How the endpoint is read: 1 scanner by override, 2 scanner as initcode, 3 Multicall3, 4 batches, 5 single calls."}, []string{"endpoint"}),
		demotions: counter("demotions_total", "Times that an endpoint left a route which had worked, by that route.", "endpoint", "route"),
		rows:      counter("rows_total", "Balances read, by route.", "route"),
		decimals:  counter("decimals_checks_total", "Checks of a token's decimals() against the database, by verdict; after a mismatch its rows have no human amount.", "verdict"),
		shut:      counter("bad_tokens_total", "Tokens that failed all their rows again and again: shut out, opened again; and rows answered without being read.", "what"),
	}
	for _, c := range []prometheus.Collector{m.requests, m.took, m.resent, m.quarantines, m.confirmations, m.rung, m.demotions, m.rows, m.decimals, m.shut} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}
