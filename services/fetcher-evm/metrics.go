package fetcherevm

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of one chain. Those of the pool are the pool's own.
type metrics struct {
	requests      *prometheus.CounterVec   // by endpoint, kind (single, batch) and outcome: ok or a class of failure
	took          *prometheus.HistogramVec // by endpoint
	resent        *prometheus.CounterVec   // by endpoint
	quarantines   *prometheus.CounterVec   // by endpoint and code
	confirmations *prometheus.CounterVec   // by verdict: confirmed, overturned, open
}

// newMetrics registers the metrics with the chain as a label.
func newMetrics(registry prometheus.Registerer, chain string) (*metrics, error) {
	label := prometheus.Labels{"chain": chain}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "balsync_fetcher_evm_" + name, Help: help, ConstLabels: label}, labels)
	}
	m := &metrics{
		requests: counter("requests_total", "HTTP requests to endpoints, by kind (single, batch) and outcome (ok or the class of the failure).", "endpoint", "kind", "outcome"),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "balsync_fetcher_evm_request_seconds", Help: "Time of a request to an endpoint.",
			ConstLabels: label, Buckets: prometheus.ExponentialBuckets(0.001, 2, 15)}, []string{"endpoint"}),
		resent:        counter("resent_total", "Requests sent again because a kept-alive connection was dead.", "endpoint"),
		quarantines:   counter("quarantines_total", "Times that an endpoint was taken out until a check admits it, by code: wrong_chain needs a person.", "endpoint", "code"),
		confirmations: counter("confirmations_total", "Row errors of a batch that were read again alone, by verdict.", "verdict"),
	}
	for _, c := range []prometheus.Collector{m.requests, m.took, m.resent, m.quarantines, m.confirmations} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}
