package claimer

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of the claimer. Labels: chain is a configured name, lane is sweep or fast.
type metrics struct {
	rows        *prometheus.CounterVec   // chain, lane, verdict
	lapsed      *prometheus.CounterVec   // chain, lane
	claims      *prometheus.CounterVec   // chain, lane, outcome: published, released, lost
	released    *prometheus.CounterVec   // chain, lane
	skipped     *prometheus.CounterVec   // chain
	claimTook   *prometheus.HistogramVec // chain, lane
	publishTook *prometheus.HistogramVec // chain
	unfinished  *prometheus.GaugeVec     // chain, lane
	rate        *prometheus.GaugeVec     // chain, lane
	pass        *prometheus.GaugeVec     // chain
	orphans     *prometheus.CounterVec   // outcome: joined, no_target
	chains      *prometheus.GaugeVec     // state
}

func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "balsync_claimer_" + name, Help: help}, labels)
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "balsync_claimer_" + name, Help: help}, labels)
	}
	seconds := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "balsync_claimer_" + name, Help: help,
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 16)}, labels)
	}
	m := &metrics{
		rows:        counter("rows_total", "Rows that claims picked, by what became of them.", "chain", "lane", "verdict"),
		lapsed:      counter("lapsed_rows_total", "Rows leased again because nobody had answered for them.", "chain", "lane"),
		claims:      counter("claims_total", "Claims with rows: published, released, or lost until their leases lapse.", "chain", "lane", "outcome"),
		released:    counter("released_rows_total", "Rows given back because their claim could not be published.", "chain", "lane"),
		skipped:     counter("skipped_rows_total", "Rows passed by because the claim fails on what they or their asset hold.", "chain"),
		claimTook:   seconds("claim_seconds", "Time that the database took for a claim.", "chain", "lane"),
		publishTook: seconds("publish_seconds", "Time until the broker had a claim, or publishing was given up.", "chain"),
		unfinished:  gauge("unfinished_messages", "Messages at the chain's consumers that are not finished, as the gate last saw them.", "chain", "lane"),
		rate:        gauge("drain_rows_per_second", "How fast the chain finishes rows, as its gate reckons.", "chain", "lane"),
		pass:        gauge("pass_seconds", "Time that the last whole sweep of the chain took, with the rest after it.", "chain"),
		orphans:     counter("orphans_total", "Rows without a chain that were looked at: joined their chain, or no_target.", "outcome"),
		chains:      gauge("chains", "Chains by state: claimed, inactive, unknown, ambiguous, or unconfigured.", "state"),
	}
	for _, c := range []prometheus.Collector{m.rows, m.lapsed, m.claims, m.released, m.skipped, m.claimTook, m.publishTook, m.unfinished,
		m.rate, m.pass, m.orphans, m.chains} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}
