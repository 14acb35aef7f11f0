package adopt

import (
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// touched are rows of neighbours and locks without an end as they were before anybody started, to be found as they are at the end.
const (
	foreignRow = "processing_status NOT IN ('idle', 'processing') OR processing_status = 'processing' AND locked_until IS NULL"
	sleepers   = "CREATE TABLE sleepers AS SELECT * FROM wallet_balances WHERE " + foreignRow
)

// Guarantee 6 of the design, on tables that were there before: neighbours take, hold, free and steal rows while we lease and write them.
func TestNeighboursAreRespectedWhileBalancesAreSynced(t *testing.T) {
	for _, tt := range []struct {
		example
		online bool
	}{{wallets, false}, {addressTables, true}} {
		t.Run(tt.name, func(t *testing.T) {
			url := tt.adopted(t, tt.online)
			conn := connect(t, url, "test")
			do(t, conn, auditSQL)
			do(t, conn, sleepers)
			do(t, conn, "CREATE TABLE counted AS SELECT id, sync_count FROM wallet_balances")
			rows, err := conn.Query(t.Context(), "SELECT id::text FROM wallet_balances WHERE chain_id = $1 AND ("+foreignRow+") IS NOT TRUE ORDER BY id", bsc)
			if err != nil {
				t.Fatal(err)
			}
			ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				t.Fatal(err)
			}

			p := startPipeline(t, itsOwnRole(t, url), 2, 2*time.Second, newLedger(150*time.Millisecond))
			n := startNeighbours(t, url, tt.example, ids)
			readAbove := func(what string, height int64) {
				t.Helper()
				wait.For(t, patience, what, func() bool {
					return !get[bool](t, conn, `SELECT EXISTS (SELECT FROM wallet_balances WHERE chain_id = $1 AND id NOT IN (SELECT id FROM sleepers) AND coalesce(observed_height, 0) <= $2)`, bsc, height)
				})
			}
			wait.For(t, patience, "neighbours have met rows of ours, and we theirs", func() bool {
				return p.fates()["foreign"] > 0 && p.fates()["late"] > 0 && n.steps[1].Load() > 20 &&
					get[bool](t, conn, "SELECT count(*) > 100 FROM audit WHERE what = 'lease' AND who = 'wallet-service'")
			})
			n.stop()
			// I1: now that the faults have stopped, every row is read again.
			readAbove("every row was read after the neighbours had stopped", p.ledger.now())
			p.quiesce(conn)

			none(t, conn, "changes of ours to rows that carried a neighbour's status", "SELECT count(*) FROM audit WHERE what = 'foreign' AND who LIKE 'balsync%'")
			if get[int64](t, conn, "SELECT count(*) FROM audit WHERE what = 'foreign' AND who = 'wallet-service'") == 0 {
				t.Error("the audit saw no neighbour release a row")
			}
			none(t, conn, "rows of a neighbour's, or locked without an end, were changed", "SELECT count(*) FROM sleepers s JOIN wallet_balances w USING (id) WHERE s IS DISTINCT FROM w")
			none(t, conn, "rows of a chain that is not configured were changed by us",
				"SELECT count(*) FROM wallet_balances WHERE chain_id <> $1 AND (observed_height IS NOT NULL OR due_at <> '-infinity' OR locked_by LIKE 'balsync:%' OR priority <> 0)", bsc)
			none(t, conn, "balances went back (I2)", "SELECT count(*) FROM audit WHERE what = 'back'")
			if checked := p.exact(conn); checked != len(ids) { // I3
				t.Errorf("%d rows have a balance, want %d", checked, len(ids))
			}
			none(t, conn, "leases are left (I4)", "SELECT count(*) FROM wallet_balances WHERE locked_by LIKE 'balsync:%'")
			p.fenced(conn)
			p.counted(conn)
			if tt.name == addressTables.name {
				if sum := get[int64](t, conn, "SELECT sum(reserved_amount)::bigint FROM wallet_balances"); sum != n.kept.Load() {
					t.Errorf("the application booked %d times and finds %d", n.kept.Load(), sum)
				}
			}
			none(t, conn, "rows have an error", "SELECT count(*) FROM wallet_balances WHERE chain_id = $1 AND (error_count > 0 OR last_error IS NOT NULL)", bsc)
			t.Logf("%d rows, fates %v, rounds of the neighbours %d %d %d %d", len(ids), p.fates(), n.steps[0].Load(), n.steps[1].Load(), n.steps[2].Load(), n.steps[3].Load())
		})
	}
}

// fenced is I5: a writer ended only leases whose own answer was there, each once, and a claimer only those that had lapsed.
func (p *pipeline) fenced(conn *pgx.Conn) {
	p.t.Helper()
	none(p.t, conn, "leases that had not lapsed were ended by a claimer", "SELECT count(*) FROM audit WHERE what = 'lease' AND who = 'balsync-claimer' AND held_to >= at")
	answers := p.answers()
	rows, err := conn.Query(p.t.Context(), "SELECT row_id, holder, at FROM audit WHERE what = 'lease' AND who = 'balsync-writer'")
	if err != nil {
		p.t.Fatal(err)
	}
	ended := map[answer]bool{}
	var id [16]byte
	var holder string
	var at time.Time
	_, err = pgx.ForEachRow(rows, []any{&id, &holder, &at}, func() error {
		key := answer{holder, uuid.UUID(id)}
		since, answered := answers[key]
		if !answered || at.Before(since.Truncate(time.Microsecond)) {
			p.t.Errorf("row %s: the lease of %s was ended by another's answer", key.row, holder)
		}
		if ended[key] {
			p.t.Errorf("row %s: the lease of %s was ended twice", key.row, holder)
		}
		ended[key] = true
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
	if len(ended) == 0 {
		p.t.Error("no writer ended a lease")
	}
}

// counted is I6: sync_count went up by one for each answer that was written while its lease was held, and for nothing else.
func (p *pipeline) counted(conn *pgx.Conn) {
	p.t.Helper()
	moved := get[int64](p.t, conn, "SELECT sum(w.sync_count - c.sync_count)::bigint FROM wallet_balances w JOIN counted c USING (id)")
	seen := get[int64](p.t, conn, "SELECT count(*) FROM audit WHERE what = 'lease' AND counted AND who = 'balsync-writer'")
	if applied := p.fates()["applied"]; moved != applied || seen != applied || applied == 0 {
		p.t.Errorf("sync_count moved by %d, %d answers were applied, the audit saw %d", moved, applied, seen)
	}
	none(p.t, conn, "counts were moved without a lease", "SELECT count(*) FROM audit WHERE what = 'count'")
	none(p.t, conn, "neighbours moved a count", "SELECT count(*) FROM audit WHERE counted AND who <> 'balsync-writer'")
}
