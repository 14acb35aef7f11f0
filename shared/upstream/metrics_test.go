package upstream_test

import (
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/upstream"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

func TestTheCollectorShowsThePool(t *testing.T) {
	p := admitted("a", "b", "c")
	a, b, c := p.Endpoints()[0], p.Endpoints()[1], p.Endpoints()[2]
	a.Saw(12)
	a.Took(500 * time.Millisecond)
	b.Quarantine(broken)
	b.Limited(upstream.Fault{Code: "rate_limited"}, 0)
	c.Took(time.Second + 250*time.Millisecond)
	pick(t, p, 0).Release()
	for range 11 {
		if e, err := p.Pick(0, a); err == nil {
			e.Release()
		}
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(p.Collector("bsc"))
	got := map[string]float64{}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			key := strings.TrimPrefix(family.GetName(), "balsync_upstream_")
			for _, label := range m.GetLabel() {
				key += " " + label.GetValue()
			}
			got[key] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	want := map[string]float64{"tip_height bsc": 12, "tip_agree bsc": 1, "retries_total bsc granted": 10, "retries_total bsc refused": 1}
	for name, of := range map[string][3]float64{ // a, b, c
		"usable": {1, 0, 1}, "quarantined": {0, 1, 0}, "head_height": {12, 0, 0}, "in_flight": {0, 0, 0}, "failures": {0, 1, 0},
		"concurrency": {2, 1, 2}, "latency_seconds": {0.5, 0, 1.25}, "slow": {0, 0, 1},
	} {
		for i, endpoint := range []string{"a", "b", "c"} {
			want["endpoint_"+name+" bsc "+endpoint] = of[i]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
