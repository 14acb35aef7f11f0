package adopt

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/google/go-cmp/cmp"
)

// kept is a hash of all rows by the columns that were there before: a migration must not change one of them.
const kept = `SELECT sum(hashtextextended((id, wallet_id, asset_on_chain_id, on_chain_balance_raw, on_chain_balance_human, processing_status, locked_until, locked_by,
	last_checked, last_processed_at, last_error, last_error_at, sync_count, error_count, created_at, updated_at)::text, 0))::text
	FROM wallet_balances WHERE created_at < $1`

// The neighbours go on while the table is migrated: none of their statements may fail, and none may be lost.
func TestExistingRowsAreMigratedBesideTheirApplication(t *testing.T) {
	for _, e := range []example{wallets, addressTables} {
		for _, online := range []bool{false, true} {
			way := map[bool]string{false: "plain", true: "online"}[online]
			t.Run(e.name+" "+way, func(t *testing.T) {
				url := e.existing(t)
				conn := connect(t, url, "balsync")
				filled := get[time.Time](t, conn, "SELECT max(created_at) + interval '1 us' FROM wallet_balances")
				before := get[string](t, conn, kept, filled)
				file, size := get[uint32](t, conn, "SELECT pg_relation_filenode('wallet_balances')"), tableSize(t, conn)

				watch := watchLocks(t, url, get[uint32](t, conn, "SELECT pg_backend_pid()"))
				app := startTraffic(t, url)
				began, step := time.Now(), ""
				var steps []string
				last := began
				_, err := schema.Up(t.Context(), conn, schema.Options{Online: online, Log: func(s schema.Step) {
					if !s.Applied.IsZero() {
						step = fmt.Sprintf("%s %d ms", s.Name, time.Since(last).Milliseconds())
						steps, last = append(steps, step), time.Now()
					}
				}})
				took := time.Since(began)
				traffic, locks := app.stop(), watch.stop()
				if err != nil {
					t.Fatal(err)
				}
				if rewritten := file != get[uint32](t, conn, "SELECT pg_relation_filenode('wallet_balances')"); rewritten == online {
					t.Errorf("the table was rewritten: %t", rewritten)
				}
				if err := replace(t.Context(), conn, e.file(t, "views.sql")); err != nil {
					t.Errorf("views.sql again: %v", err)
				}
				if after := get[string](t, conn, kept, filled); after != before {
					t.Error("the migration changed a column of the application's")
				}
				none(t, conn, "rows without their chain or their place", `SELECT count(*) FROM wallet_balances w JOIN balance_sync_assets a USING (asset_on_chain_id)
					WHERE w.chain_id IS DISTINCT FROM a.chain_id OR w.sweep_seq < 1`)
				none(t, conn, "rows share a place", "SELECT count(*) - count(DISTINCT sweep_seq) FROM wallet_balances")
				if n := get[int64](t, conn, "SELECT count(*) FROM wallet_balances"); n != rows+traffic.inserted {
					t.Errorf("%d rows, want %d and %d that the application made meanwhile", n, rows, traffic.inserted)
				}
				none(t, conn, "updates of the application were lost", "SELECT $1 - sum(n) FROM traffic", traffic.updated)
				if err := schema.Ready(t.Context(), conn); err != nil {
					t.Error(err)
				}

				vacuumed := connect(t, url, "balsync")
				do(t, vacuumed, "VACUUM wallet_balances")
				t.Logf("%s, %s: %d ms for %d rows; the application's longest wait %d ms in %d statements; size %s, then %s", e.name, way, took.Milliseconds(), rows,
					traffic.longest.Milliseconds(), traffic.statements, size, tableSize(t, conn))
				t.Logf("steps: %s", strings.Join(steps, ", "))
				t.Logf("locks on wallet_balances: %s", locks)
			})
		}
	}
}

// What docs/adopting.md says about the queue of the replaced loop.
func TestTheQueueOfTheOldLoopIsFoundAndDropped(t *testing.T) {
	conn := connect(t, wallets.empty(t), "balsync")
	if _, err := schema.Up(t.Context(), conn, schema.Options{}); err != nil {
		t.Fatal(err)
	}
	found := func() (objects []string) {
		findings, err := schema.Check(t.Context(), conn)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range findings {
			objects = append(objects, f.Object)
		}
		return objects
	}
	if diff := cmp.Diff([]string{"index wallet_balances_queue"}, found()); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}
	for statement := range strings.SplitSeq(wallets.file(t, "cleanup.sql"), ";") { // one by one: CONCURRENTLY is no part of a transaction
		if !slices.Contains([]string{"", "\n"}, statement) {
			do(t, conn, statement)
		}
	}
	if left := found(); left != nil {
		t.Errorf("after: %v", left)
	}
}
