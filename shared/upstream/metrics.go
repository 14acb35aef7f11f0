package upstream

import "github.com/prometheus/client_golang/prometheus"

// collector shows a pool's state whenever it is asked, so that no gauge can be forgotten.
type collector struct {
	pool                                       *Pool
	usable, quarantined, head, inFlight, fails *prometheus.Desc
	concurrency, latency, slow                 *prometheus.Desc
	tip, agree, retries                        *prometheus.Desc
}

// Collector gives the pool's metrics, with the chain as a label. Register it once.
func (p *Pool) Collector(chain string) prometheus.Collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("balsync_upstream_"+name, help, labels, prometheus.Labels{"chain": chain})
	}
	return &collector{
		pool:        p,
		usable:      desc("endpoint_usable", "1 while the endpoint may be asked, 0 while it is in quarantine, broken or paused.", "endpoint"),
		quarantined: desc("endpoint_quarantined", "1 while the endpoint is out until a check admits it, as one of another chain is.", "endpoint"),
		head:        desc("endpoint_head_height", "The newest block that the endpoint told of lately, 0 when it did not.", "endpoint"),
		inFlight:    desc("endpoint_in_flight", "Readings under way at the endpoint.", "endpoint"),
		fails:       desc("endpoint_failures", "Failures of the endpoint in a row.", "endpoint"),
		concurrency: desc("endpoint_concurrency", "How many requests the endpoint gets at once now: halved by rate limits, restored slowly.", "endpoint"),
		latency:     desc("endpoint_latency_seconds", "Average time of the endpoint's reads, 0 when it was not measured lately.", "endpoint"),
		slow:        desc("endpoint_slow", "1 while others are preferred because the endpoint takes much longer.", "endpoint"),
		tip:         desc("tip_height", "The height that a majority of the endpoints that answer has reached."),
		agree:       desc("tip_agree", "How many endpoints have reached the tip."),
		retries:     desc("retries_total", "Second and further endpoints for the same rows, granted or refused by the chain's retry budget.", "verdict"),
	}
}

// Describe lists the metrics.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.usable, c.quarantined, c.head, c.inFlight, c.fails, c.concurrency, c.latency, c.slow, c.tip, c.agree, c.retries} {
		to <- d
	}
}

// Collect reads the pool.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for _, s := range c.pool.States() {
		gauge(c.usable, one(s.Fault == nil), s.Name)
		gauge(c.quarantined, one(s.Quarantined), s.Name)
		gauge(c.head, float64(s.Head), s.Name)
		gauge(c.inFlight, float64(s.InFlight), s.Name)
		gauge(c.fails, float64(s.Failures), s.Name)
		gauge(c.concurrency, float64(s.Concurrency), s.Name)
		gauge(c.latency, s.Latency.Seconds(), s.Name)
		gauge(c.slow, one(s.Slow), s.Name)
	}
	tip := c.pool.Tip()
	gauge(c.tip, float64(tip.Height))
	gauge(c.agree, float64(tip.Agree))
	granted, refused := c.pool.retryCounts()
	to <- prometheus.MustNewConstMetric(c.retries, prometheus.CounterValue, float64(granted), "granted")
	to <- prometheus.MustNewConstMetric(c.retries, prometheus.CounterValue, float64(refused), "refused")
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
