package fetcherevm

import "testing"

// way is a way to read balances that every fault is tried with.
type way struct {
	// route is what proofs call it.
	route string
	// batch is the most elements of a batch.
	batch int
}

// ways are the rungs of the ladder.
var ways = []way{{"batch", 100}, {"single", 1}}

// settings are [setup]'s, for reading in that way and no better one.
func (w way) settings() Config {
	config := setup()
	config.BatchSize = w.batch
	return config
}

// eachWay runs a test for every way.
func eachWay(t *testing.T, test func(t *testing.T, w way)) {
	t.Helper()
	for _, w := range ways {
		t.Run(w.route, func(t *testing.T) { test(t, w) })
	}
}
