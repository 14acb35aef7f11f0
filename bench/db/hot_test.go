package db

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/pgdev"
	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/services/claimer"
	"github.com/balance-sync/balance-sync/services/writer"
)

func TestMain(m *testing.M) { os.Exit(pgdev.Main(m)) }

// An index that names a column which claim or apply changes would make every update rewrite every index, at a third of the speed. The
// catalog is checked elsewhere; this is what it is for. The first two passes spread the rows over their pages.
func TestClaimAndApplyStayHOT(t *testing.T) {
	opt := options{rows: 15_000, batch: 1000}
	table, err := prepare(t.Context(), pgdev.Database(t, "", nil), opt, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer table.pool.Close()
	// An autovacuum that analyses the table holds a snapshot, longer on a busy machine, and pages that cannot be pruned meanwhile are no index's doing.
	if _, err := table.pool.Exec(t.Context(), "ALTER TABLE wallet_balances SET (autovacuum_enabled = off)"); err != nil {
		t.Fatal(err)
	}
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
