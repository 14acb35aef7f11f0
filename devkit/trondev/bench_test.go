package trondev_test

import (
	"testing"
)

// What a client can read at most: 500 balances of a token in one call, and the balances one by one.

func BenchmarkScan500(b *testing.B) {
	c, scanner := dial(b, goldenNode(b).URL()), scan(b, at(0xa6, 0), 500)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			reply, err := c.solid.TriggerConstantContract(b.Context(), scanner)
			if err != nil || !reply.Result.Result {
				b.Errorf("reply = %v, %v", reply.GetResult(), err)
			}
		}
	})
}

func BenchmarkSingle(b *testing.B) {
	n := goldenNode(b)
	c, one := dial(b, n.URL()), request(b, golden(b)["single-ok"])
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			reply, err := c.solid.TriggerConstantContract(b.Context(), one)
			if err != nil || !reply.Result.Result {
				b.Errorf("reply = %v, %v", reply.GetResult(), err)
			}
		}
	})
}
