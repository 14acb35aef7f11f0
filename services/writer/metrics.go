package writer

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of all chains that a writer serves. The share of stale rows, rows with fate="stale" among those with "applied" and
// "stale", tells of nodes that lag.
type metrics struct {
	rows       *prometheus.CounterVec // chain, fate: what became of each row; busy and rejected once all tries were made
	refused    *prometheus.CounterVec // chain, code: rows whose result was not taken at its word
	messages   *prometheus.CounterVec // chain, outcome: applied, returned, dead_letter, unanswered
	retries    *prometheus.CounterVec // chain, reason: the SQLSTATE class, or "connection"
	bisections *prometheus.CounterVec // chain
	busyTries  *prometheus.CounterVec // chain
	batch      *prometheus.HistogramVec
	took       *prometheus.HistogramVec
	height     *prometheus.GaugeVec
}

func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "balsync_writer_" + name, Help: help}, append([]string{"chain"}, labels...))
	}
	histogram := func(name, help string, buckets []float64) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "balsync_writer_" + name, Help: help, Buckets: buckets}, []string{"chain"})
	}
	m := &metrics{
		rows:       counter("rows_total", "Rows of results by what became of them; the share of stale ones tells of nodes that lag.", "fate"),
		refused:    counter("refused_rows_total", "Rows whose result was not taken at its word, by the code of the error that took its place.", "code"),
		messages:   counter("messages_total", "Results by how they were answered: applied, returned, dead_letter, unanswered.", "outcome"),
		retries:    counter("retries_total", "Batches that were tried again whole, by SQLSTATE class or \"connection\".", "reason"),
		bisections: counter("bisections_total", "Batches that were halved because Postgres refused the data of a row."),
		busyTries:  counter("busy_retries_total", "Rows that were tried again because another transaction had them locked."),
		batch:      histogram("batch_rows", "Rows that were collected for one transaction.", prometheus.ExponentialBuckets(1, 4, 8)),
		took:       histogram("batch_seconds", "Time from a batch's delivery to its acks.", prometheus.ExponentialBuckets(0.002, 2, 14)),
		height: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "balsync_writer_height",
			Help: "The highest height that was accepted, from which later ones are bounded."}, []string{"chain"}),
	}
	for _, c := range []prometheus.Collector{m.rows, m.refused, m.messages, m.retries, m.bisections, m.busyTries, m.batch, m.took, m.height} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

// expect makes a chain's counters exist before they move, so that an alert on their growth sees the first step.
func (m *metrics) expect(chain string) {
	for _, fate := range fates() {
		m.rows.WithLabelValues(chain, string(fate))
	}
	for _, outcome := range []string{"applied", "returned", "dead_letter", "unanswered"} {
		m.messages.WithLabelValues(chain, outcome)
	}
	m.bisections.WithLabelValues(chain)
	m.busyTries.WithLabelValues(chain)
}
