package fetch

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// errForeignChain is a claim whose payload names another chain than its subject.
var errForeignChain = errors.New("claim names another chain than its subject")

// metrics of one chain's loop.
type metrics struct {
	claims  *prometheus.CounterVec // by outcome: answered, expired, dead_letter, returned, unsettled, bad
	rows    *prometheus.CounterVec // by class (value, warning, row, endpoint) and code
	retries prometheus.Counter     // rows read again because nodes failed
	took    prometheus.Histogram
}

// newMetrics registers the metrics with the chain as a label.
func newMetrics(registry prometheus.Registerer, chain string) (*metrics, error) {
	label := prometheus.Labels{"chain": chain}
	m := &metrics{
		claims: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "balsync_fetch_claims_total",
			Help: "Claims by what became of them.", ConstLabels: label}, []string{"outcome"}),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "balsync_fetch_rows_total",
			Help: "Rows answered, by class (value, warning, row, endpoint) and error code.", ConstLabels: label}, []string{"class", "code"}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{Name: "balsync_fetch_retried_rows_total",
			Help: "Rows read again because nodes failed.", ConstLabels: label}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "balsync_fetch_claim_seconds",
			Help: "Time from delivery to ack of a claim.", ConstLabels: label, Buckets: prometheus.ExponentialBuckets(0.005, 2, 14)}),
	}
	for _, c := range []prometheus.Collector{m.claims, m.rows, m.retries, m.took} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}
