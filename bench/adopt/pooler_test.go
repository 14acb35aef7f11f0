package adopt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/pgdev"
	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"
)

// pooled is the database through a PgBouncer in transaction mode, as the services and the operator's tool reach it.
func pooled(t *testing.T, url string, size int) string {
	t.Helper()
	return pgdev.Pooled(t, url, size)
}

// fewRows fill the adopter's tables with 900 rows of BSC, of which none has a neighbour.
const fewRows = `INSERT INTO chains (id, name) VALUES ('` + bsc + `', 'BSC');
	INSERT INTO asset_on_chain (chain_id, contract_address, decimals, is_native) VALUES ('` + bsc + `', NULL, 18, true), ('` + bsc + `', '0x01', 6, false), ('` + bsc + `', '0x02', 0, false);
	INSERT INTO wallets (address) SELECT '0x' || lpad(to_hex(n), 40, '0') FROM generate_series(1, 300) n;
	INSERT INTO wallet_balances (wallet_id, asset_on_chain_id) SELECT w.id, a.id FROM wallets w, asset_on_chain a`

// Migration, claim, read, apply, with two server connections for three claimers, three writers and all that their pools open. Each
// session is everybody's, so nothing may rest on one.
func TestTheWholePipelineWorksBehindATransactionPooler(t *testing.T) {
	for _, online := range []bool{false, true} {
		t.Run(fmt.Sprintf("online %t", online), func(t *testing.T) {
			direct := wallets.empty(t)
			through := pooled(t, direct, 2)
			conn := connect(t, direct, "test")
			do(t, conn, fewRows)
			config, err := pgx.ParseConfig(through)
			if err != nil {
				t.Fatal(err)
			}
			config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe // as cmd/balsync connects
			migrator, err := pgx.ConnectConfig(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := schema.Up(t.Context(), migrator, schema.Options{Online: online}); err != nil {
				t.Fatal(err)
			}
			if err := migrator.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			do(t, conn, auditSQL)
			do(t, conn, "CREATE TABLE counted AS SELECT id, sync_count FROM wallet_balances")

			p := startPipeline(t, everybody(through), 3, 200*time.Millisecond, newLedger(0))
			wait.For(t, patience, "every row was read three times", func() bool {
				return !get[bool](t, conn, "SELECT EXISTS (SELECT FROM wallet_balances WHERE sync_count < 3)")
			})
			if _, states := p.health.Ready(); states["claimer.postgres.bsc"] != "ok" || states["writer.postgres"] != "ok" {
				t.Errorf("/readyz says %v", states)
			}
			p.quiesce(conn)
			if n := p.exact(conn); n != 900 {
				t.Errorf("%d rows have a balance", n)
			}
			p.fenced(conn)
			p.counted(conn)
			none(t, conn, "balances went back", "SELECT count(*) FROM audit WHERE what = 'back'")
			none(t, conn, "rows have an error", "SELECT count(*) FROM wallet_balances WHERE last_error IS NOT NULL OR error_count > 0")
			if retries := p.fates()["connection"] + p.fates()["42"] + p.fates()["26"]; retries > 0 {
				t.Errorf("%d batches failed on the connection", retries)
			}
			none(t, conn, "locks of a session were left behind", "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE d.datname = current_database() AND l.locktype = 'advisory'")
		})
	}
}

// A migration needs a path, timeouts and a lock. Behind the pooler whatever it left of them would be the next client's.
func TestMigrationLeavesNothingOnTheSession(t *testing.T) {
	for _, online := range []bool{false, true} {
		through := pooled(t, pgdev.Database(t, "", nil), 1) + "&default_query_exec_mode=cache_describe"
		settings := func() string {
			return get[string](t, connect(t, through, "other"), `SELECT concat_ws(' ', current_setting('search_path'), current_setting('lock_timeout'), current_setting('statement_timeout'),
				(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()), pg_backend_pid())`)
		}
		before := settings()
		if _, err := schema.Up(t.Context(), connect(t, through, "balsync"), schema.Options{Online: online}); err != nil {
			t.Fatal(err)
		}
		if after := settings(); after != before {
			t.Errorf("online %t: the session was left with %s, it had %s", online, after, before)
		}
	}
}

// pgx prepares statements by name unless it is told otherwise. Behind the pooler a name is another client's as well: that is what the
// pool of the services must not do, and what a test on a direct connection cannot see.
func TestPgxsDefaultStatementCacheFailsBehindATransactionPooler(t *testing.T) {
	through := pooled(t, pgdev.Database(t, "", nil), 1)
	ask := func(url string) error {
		const clients = 4
		var group errgroup.Group
		for range clients {
			pool, err := schema.OpenPool(secret.New(url), "test", 2)
			if err != nil {
				return err
			}
			defer pool.Close()
			group.Go(func() error {
				for n := range 5 {
					var got int
					if err := pool.QueryRow(t.Context(), "SELECT $1::int + 1", n).Scan(&got); err != nil {
						return err
					}
				}
				return nil
			})
		}
		return group.Wait()
	}
	var pg *pgconn.PgError
	if err := ask(through + "&default_query_exec_mode=cache_statement"); !errors.As(err, &pg) || !slices.Contains([]string{"42P05", "26000", "08P01"}, pg.Code) {
		t.Errorf("with pgx's default: %v, want that a prepared statement is there already or is not there", err)
	}
	if err := ask(through); err != nil {
		t.Errorf("as the services connect: %v", err)
	}
}

// What balance-sync does without, since behind the pooler it belongs to whoever comes next: shown here, so that it is known to be so.
func TestWhatASessionKeepsIsSomebodyElsesBehindATransactionPooler(t *testing.T) {
	through := pooled(t, pgdev.Database(t, "", nil), 1) + "&default_query_exec_mode=exec"
	first, second := connect(t, through, "first"), connect(t, through, "second")
	do(t, first, "SET lock_timeout = '1234ms'")
	do(t, first, "SELECT pg_advisory_lock(7)")
	if got := get[string](t, second, "SHOW lock_timeout"); got != "1234ms" {
		t.Errorf("the second client has lock_timeout %s: the pooler keeps sessions apart, and this suite proves nothing", got)
	}
	if !get[bool](t, second, "SELECT pg_advisory_unlock(7)") {
		t.Error("the second client did not get the first one's lock")
	}
	// A setting of ours ends with its transaction.
	err := pgx.BeginFunc(t.Context(), first, func(tx pgx.Tx) error {
		_, err := tx.Exec(context.Background(), "SELECT set_config('lock_timeout', '99ms', true)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := get[string](t, second, "SHOW lock_timeout"); got != "1234ms" {
		t.Errorf("a local setting outlived its transaction: %s", got)
	}
}
