package db

import (
	"io"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/pgdev"
	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/services/claimer"
	"github.com/balance-sync/balance-sync/services/writer"
)

// An index that names a column which claim or apply changes would make every update rewrite every index, at a third of the speed. The
// catalog is checked elsewhere; this is what it is for. The first two passes spread the rows over their pages.
func TestClaimAndApplyStayHOT(t *testing.T) {
	opt := options{rows: 15_000, batch: 1000}
	// A server of its own: pages are not pruned while any database of the server has a long transaction that writes, as other tests have.
	server, err := pgdev.Start(t.Context(), pgdev.Options{Fetch: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	table, err := prepare(t.Context(), server.URL(), opt, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer table.pool.Close()
	const each = 2 * 15_000 // updates of a pass: a claim and an apply a row
	lessor, store := claimer.NewStore(table.pool, "test", 2*time.Minute, opt.batch), writer.NewStore(table.pool)
	counted := func(passes int64) result {
		var r result
		wait.For(t, 20*time.Second, "the server has counted the updates", func() bool {
			if r, err = table.counters(t.Context()); err != nil {
				t.Fatal(err)
			}
			return r.updates == passes*each
		})
		return r
	}
	var before result
	for pass := int64(1); pass <= 5; pass++ {
		for written := 0; written < opt.rows; {
			c, err := table.claim(t.Context(), lessor, opt.batch)
			if err != nil {
				t.Fatal(err)
			}
			outcomes, err := store.Apply(t.Context(), c.chain, 0, results(c))
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range outcomes {
				if o.Fate != writer.Applied {
					t.Fatalf("a row's fate is %s", o.Fate)
				}
				written++
			}
		}
		if pass == 2 {
			before = counted(pass)
		}
	}
	after := counted(5)
	if ratio := float64(after.hot-before.hot) / float64(after.updates-before.updates); ratio < 0.9 {
		t.Errorf("%.3f of the updates are HOT, at least 0.9 should be", ratio)
	}
}
