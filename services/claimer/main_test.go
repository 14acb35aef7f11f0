package claimer

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/pgdev"
	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func TestMain(m *testing.M) { os.Exit(pgdev.Main(m)) }

// patience is far above what anything here takes: only a failing test waits for so long.
const patience = 20 * time.Second

// database is a migrated database of a test's own, with ways to fill it.
type database struct {
	t    testing.TB
	url  string
	pool *pgxpool.Pool
}

func newDatabase(t testing.TB) *database {
	t.Helper()
	url := pgdev.Database(t, "schema-"+schema.Fingerprint(), func(ctx context.Context, url string) error {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = schema.Up(ctx, conn, schema.Options{})
		return err
	})
	pool, err := schema.OpenPool(secret.New(url), "test", 12)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return &database{t: t, url: url, pool: pool}
}

// testLease is longer than any test.
const testLease = time.Minute

// store is a Store over the database whose leases last for a minute.
func (d *database) store() *Store { return NewStore(d.pool, "test", testLease, 1, 5) }

func (d *database) do(sql string, args ...any) {
	d.t.Helper()
	if _, err := d.pool.Exec(d.t.Context(), sql, args...); err != nil {
		d.t.Fatalf("%s: %v", sql, err)
	}
}

// get is the one value that a query answers.
func get[T any](d *database, sql string, args ...any) T {
	d.t.Helper()
	var v T
	if err := d.pool.QueryRow(d.t.Context(), sql, args...).Scan(&v); err != nil {
		d.t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// all is a column of values.
func all[T any](d *database, sql string, args ...any) []T {
	d.t.Helper()
	rows, err := d.pool.Query(d.t.Context(), sql, args...)
	if err != nil {
		d.t.Fatalf("%s: %v", sql, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		d.t.Fatalf("%s: %v", sql, err)
	}
	return list
}

func (d *database) chain(name string) uuid.UUID {
	d.t.Helper()
	return get[[16]byte](d, "INSERT INTO chains (name) VALUES ($1) RETURNING id", name)
}

// token is an asset of a chain with 18 decimals.
func (d *database) token(chain uuid.UUID, contract string) uuid.UUID {
	d.t.Helper()
	return get[[16]byte](d, "INSERT INTO asset_on_chain (chain_id, contract_address, decimals) VALUES ($1, $2, 18) RETURNING id", chain, contract)
}

// rows adds n ordinary rows for wallets of their own, in the order of the sweep, and gives their ids.
func (d *database) rows(asset uuid.UUID, n int) []uuid.UUID {
	d.t.Helper()
	rows := all[[16]byte](d, `WITH w AS (INSERT INTO wallets (address) SELECT '0x' || lpad(to_hex(i), 40, '0') FROM generate_series(1, $2::int) i RETURNING id)
		INSERT INTO wallet_balances (wallet_id, asset_on_chain_id, priority) SELECT id, $1, 0 FROM w RETURNING id`, asset, n)
	ids := make([]uuid.UUID, n)
	for i, id := range rows {
		ids[i] = id
	}
	return ids
}

// row adds one ordinary row.
func (d *database) row(asset uuid.UUID) uuid.UUID { return d.rows(asset, 1)[0] }

// set changes columns of rows: set("priority = 2", id).
func (d *database) set(columns string, ids ...uuid.UUID) {
	d.t.Helper()
	d.do("UPDATE wallet_balances SET "+columns+" WHERE id = ANY ($1)", ids)
}

// is reports whether a condition holds for a row.
func (d *database) is(id uuid.UUID, condition string) bool {
	d.t.Helper()
	return get[bool](d, "SELECT coalesce(("+condition+"), false) FROM wallet_balances WHERE id = $1", id)
}

// want fails the test for each condition that does not hold for the row, and shows the row.
func (d *database) want(id uuid.UUID, conditions ...string) {
	d.t.Helper()
	for _, condition := range conditions {
		if !d.is(id, condition) {
			d.t.Errorf("not so: %s\n%s", condition, d.show(id))
		}
	}
}

// show is a row with all its columns, as JSON.
func (d *database) show(id uuid.UUID) string {
	d.t.Helper()
	return get[string](d, "SELECT to_jsonb(w)::text FROM wallet_balances w WHERE id = $1", id)
}

// seq is a row's place in the sweep.
func (d *database) seq(id uuid.UUID) int64 {
	d.t.Helper()
	return get[int64](d, "SELECT sweep_seq FROM wallet_balances WHERE id = $1", id)
}

// end is a place behind every row.
const end = int64(1) << 40

// claim leases up to rows rows of a chain, wherever they are.
func claim(t testing.TB, s *Store, chain uuid.UUID, rows int) *Claimed {
	t.Helper()
	c, err := s.ClaimSweep(t.Context(), chain, 0, end, rows)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// verdictOf claims the one due row of a chain and gives what became of it.
func verdictOf(t testing.TB, s *Store, chain uuid.UUID) Verdict {
	t.Helper()
	c := claim(t, s, chain, 10)
	if len(c.Verdicts) != 1 || c.Picked != 1 {
		t.Fatalf("picked %d rows: %v, want one", c.Picked, c.Verdicts)
	}
	for v := range c.Verdicts {
		return v
	}
	panic("unreachable")
}

// lapse ends the lease of rows unanswered, as time would.
func (d *database) lapse(ids ...uuid.UUID) {
	d.t.Helper()
	d.set("locked_until = now() - interval '1 s'", ids...)
}

func held(name string) string {
	return fmt.Sprintf("processing_status = 'processing' AND locked_by = '%s' AND locked_until > now()", name)
}

const free = "processing_status = 'idle' AND locked_by IS NULL AND locked_until IS NULL"

// addresses replaces the view that says where wallets live.
func (d *database) addresses(query string) {
	d.t.Helper()
	d.do("CREATE OR REPLACE VIEW balance_sync_addresses AS " + query)
}

// waitForLock waits until a session waits for a lock of the kind.
func (d *database) waitForLock(kind string) {
	d.t.Helper()
	wait.For(d.t, patience, "a session waits for a lock", func() bool {
		return get[bool](d, "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database b ON b.oid = l.database WHERE b.datname = current_database() AND l.locktype = $1 AND NOT l.granted)", kind)
	})
}

// allPairs is what a query answers, its first column to its second.
func allPairs(d *database, sql string) map[uuid.UUID]string {
	d.t.Helper()
	rows, err := d.pool.Query(d.t.Context(), sql)
	if err != nil {
		d.t.Fatalf("%s: %v", sql, err)
	}
	pairs := map[uuid.UUID]string{}
	var id [16]byte
	var text string
	if _, err := pgx.ForEachRow(rows, []any{&id, &text}, func() error { pairs[id] = text; return nil }); err != nil {
		d.t.Fatalf("%s: %v", sql, err)
	}
	return pairs
}
