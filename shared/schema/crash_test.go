package schema

import (
	"context"
	"fmt"
	"testing"
	"time"

	until "github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/jackc/pgx/v5"
)

// tripwire cuts the connection after each query that it sees for the first time: the query has taken effect, and nothing comes after
// it. Queries with other arguments are others.
type tripwire struct {
	seen map[string]bool
	now  string
}

func (w *tripwire) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	w.now = fmt.Sprint(data.SQL, data.Args)
	return ctx
}

func (w *tripwire) TraceQueryEnd(_ context.Context, conn *pgx.Conn, data pgx.TraceQueryEndData) {
	if data.Err == nil && !w.seen[w.now] {
		w.seen[w.now] = true
		_ = conn.PgConn().Conn().Close()
	}
}

func TestUpAfterACrashAnywhereEndsInTheSameSchema(t *testing.T) {
	for name, online := range map[string]func(run int) bool{
		"plain":  func(int) bool { return false },
		"online": func(int) bool { return true },
		"mixed":  func(run int) bool { return run%2 == 0 },
	} {
		t.Run(name, func(t *testing.T) {
			url := database(t, existing())
			wire := &tripwire{seen: make(map[string]bool)}
			crashes := 0
			for {
				_, err := Up(t.Context(), connect(t, url, wire), Options{Online: online(crashes)})
				if err == nil {
					break
				}
				if crashes++; crashes > 200 {
					t.Fatalf("no end: %v", err)
				}
			}
			for _, s := range steps() {
				if key := fmt.Sprint(s.SQL, []any(nil)); name == "plain" && s.unless != table && !wire.seen[key] {
					t.Errorf("no crash in %s", s.File())
				}
			}
			t.Logf("%d crashes", crashes)
			complete(t, connect(t, url, nil))
		})
	}
}

func TestUnfinishedIndexIsDroppedAndBuiltAgain(t *testing.T) {
	for _, again := range []Options{{Online: true}, {}} {
		url := database(t, existing())
		other := connect(t, url, nil)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		// A transaction that has written the table keeps a concurrent build waiting once its index is in the catalog; there it is cut short.
		_, err := Up(ctx, connect(t, url, nil), Options{Online: true, Log: func(s Step) {
			if s.Name == "fill" && !s.Applied.IsZero() {
				do(t, other, `BEGIN; UPDATE wallet_balances SET sync_count = 1 WHERE sweep_seq = 1`)
				go func() {
					defer cancel()
					awaitIndex(t, connect(t, url, nil))
				}()
			}
		}})
		if err == nil {
			t.Fatal("the build was not cut short")
		}
		endBuild(t, connect(t, url, nil)) // not other: what a transaction sees of other sessions stays as it was
		do(t, other, `ROLLBACK`)
		want(t, other, 1, `SELECT count(*) FROM pg_index WHERE NOT indisvalid`)
		if err := Ready(t.Context(), other); err == nil {
			t.Error("ready with an index that is not valid")
		}
		up(t, connect(t, url, nil), again)
		complete(t, other)
	}
}

// The build had ended, and only the record of it was lost: the plain way must find the index and not build it again.
func TestAnIndexThatWasBuiltAndNotRecordedIsKept(t *testing.T) {
	for _, again := range []Options{{Online: true}, {}} {
		url := database(t, existing())
		conn := connect(t, url, nil)
		up(t, conn, Options{Online: true})
		do(t, conn, `DELETE FROM balance_sync_migrations WHERE name IN ('sweep_index', 'fast_index')`)
		up(t, conn, again)
		complete(t, conn)
	}
}

// endBuild ends a build that is still under way: the server does not always notice that its client is gone.
func endBuild(t *testing.T, conn *pgx.Conn) {
	until.For(t, 20*time.Second, "the build has ended on the server", func() bool {
		var ended int
		if err := conn.QueryRow(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%CREATE INDEX CONCURRENTLY%' AND state = 'active'`).Scan(&ended); err != nil {
			t.Fatal(err)
		}
		return ended == 0
	})
}

// awaitIndex returns when the sweep's index is in the catalog, or the test ends.
func awaitIndex(t *testing.T, conn *pgx.Conn) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		var found bool
		err := conn.QueryRow(t.Context(), `SELECT to_regclass('wallet_balances_sweep') IS NOT NULL`).Scan(&found)
		if err != nil || found {
			return
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			return
		}
	}
}

func TestUpLetsTheTrafficBehindItsLockThrough(t *testing.T) {
	for _, online := range []bool{false, true} {
		url := database(t, existing())
		holder, reader := connect(t, url, nil), connect(t, url, nil)
		do(t, holder, `BEGIN; SELECT count(*) FROM wallet_balances`)
		refused := make(refusals, 1000)
		done := make(chan error, 1)
		conn := connect(t, url, refused)
		go func() {
			_, err := Up(t.Context(), conn, Options{Online: online, LockWait: 20 * time.Millisecond})
			done <- err
		}()
		for range 2 {
			select {
			case <-refused:
			case err := <-done:
				t.Fatalf("Up ended in spite of the lock: %v", err)
			case <-time.After(20 * time.Second):
				t.Fatal("Up waits for the lock without an end")
			}
		}
		do(t, reader, `SET statement_timeout = '5s'`)
		want(t, reader, manyRows, `SELECT count(*) FROM wallet_balances`)
		do(t, holder, `COMMIT`)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		complete(t, reader)
	}
}

// refusals has one entry for each query that got no lock in time.
type refusals chan struct{}

func (r refusals) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

func (r refusals) TraceQueryEnd(_ context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	if contended(data.Err) {
		r <- struct{}{}
	}
}
