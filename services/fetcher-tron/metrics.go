package fetchertron

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of one chain. Those of the pool are the pool's own.
type metrics struct {
	requests      *prometheus.CounterVec   // by endpoint, kind (scan, multicall, account, constant, decimals, block) and outcome: ok or a class of failure
	took          *prometheus.HistogramVec // by endpoint
	quarantines   *prometheus.CounterVec   // by endpoint and code
	confirmations *prometheus.CounterVec   // by verdict: confirmed, overturned, open
	rows          *prometheus.CounterVec   // by route
	rung          *prometheus.GaugeVec     // by endpoint
	splits        *prometheus.CounterVec   // by endpoint
	decimals      *prometheus.CounterVec   // by verdict: match, mismatch, unknown, open
}

// newMetrics registers the metrics with the chain as a label.
func newMetrics(registry prometheus.Registerer, chain string) (*metrics, error) {
	label := prometheus.Labels{"chain": chain}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "balsync_fetcher_tron_" + name, Help: help, ConstLabels: label}, labels)
	}
	m := &metrics{
		requests: counter("requests_total", "gRPC calls to endpoints, by kind (scan, multicall, account, constant, decimals, block) and outcome (ok or the class of the failure).", "endpoint", "kind", "outcome"),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "balsync_fetcher_tron_request_seconds", Help: "Time of a call to an endpoint.",
			ConstLabels: label, Buckets: prometheus.ExponentialBuckets(0.001, 2, 15)}, []string{"endpoint"}),
		quarantines:   counter("quarantines_total", "Times that an endpoint was taken out until a check admits it, by code: wrong_chain needs a person.", "endpoint", "code"),
		confirmations: counter("confirmations_total", "Row errors of a bulk read that were read again alone, by verdict.", "verdict"),
		rows:          counter("values_total", "Values read, by route.", "route"),
		rung: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "balsync_fetcher_tron_rung", Help: "The best way that an endpoint can be read, 1 (scanner) to 5 (single calls).",
			ConstLabels: label}, []string{"endpoint"}),
		splits:   counter("splits_total", "Requests that were too much for the node and were divided.", "endpoint"),
		decimals: counter("decimals_total", "Tokens asked for their decimals, by verdict.", "verdict"),
	}
	for _, c := range []prometheus.Collector{m.requests, m.took, m.quarantines, m.confirmations, m.rows, m.rung, m.splits, m.decimals} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}
