package adopt

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// traffic is an application at work while its table is migrated: one session that reads, one that updates and one that inserts, a
// statement every few milliseconds.
type traffic struct {
	end  context.CancelFunc
	done sync.WaitGroup

	mu                            sync.Mutex // guards below
	statements, inserted, updated int64
	longest                       time.Duration
}

func startTraffic(t *testing.T, url string) *traffic {
	t.Helper()
	// Each update also writes here, in its own transaction: at the end the two must agree.
	setup := connect(t, url, "wallet-service")
	do(t, setup, "CREATE TABLE traffic (n bigint NOT NULL)")
	ctx, end := context.WithCancel(context.Background())
	app := &traffic{end: end}
	t.Cleanup(func() { app.stop() })
	row := func() string { return fmt.Sprintf("md5('row %d %d')::uuid", 1+rand.N(10_000), rand.N(10)) }
	statements := map[string]func() (string, func()){
		"read": func() (string, func()) {
			return "SELECT on_chain_balance_raw FROM wallet_balances WHERE id = " + row(), func() {}
		},
		"update": func() (string, func()) {
			// The value stays what it is, so that the migration can be held to it.
			return "WITH u AS (UPDATE wallet_balances SET updated_at = updated_at WHERE id = " + row() + " RETURNING 1) INSERT INTO traffic SELECT count(*) FROM u", func() { app.updated++ }
		},
		"insert": func() (string, func()) {
			// Ten assets are taken for each wallet: an eleventh row needs a wallet of its own.
			return "INSERT INTO wallet_balances (wallet_id, asset_on_chain_id) SELECT w, '00000000-0000-0000-0000-0000000000a1' FROM new_wallet() w", func() { app.inserted++ }
		},
	}
	wallet := "RETURN gen_random_uuid();"
	if get[bool](t, setup, "SELECT to_regclass('wallets') IS NOT NULL") {
		wallet = "INSERT INTO wallets (address) VALUES ('0x1') RETURNING id INTO w; RETURN w;"
	}
	do(t, setup, "CREATE FUNCTION new_wallet() RETURNS uuid LANGUAGE plpgsql AS $$ DECLARE w uuid; BEGIN "+wallet+" END $$")
	for name, next := range statements {
		conn := connect(t, url, "wallet-service "+name)
		app.done.Go(func() {
			tick := time.NewTicker(3 * time.Millisecond)
			defer tick.Stop()
			for {
				sql, counted := next()
				began := time.Now()
				_, err := conn.Exec(context.Background(), sql, pgx.QueryExecModeSimpleProtocol)
				if err != nil {
					t.Errorf("the application's %s: %v", name, err)
					return
				}
				app.mu.Lock()
				app.statements++
				counted()
				app.longest = max(app.longest, time.Since(began))
				app.mu.Unlock()
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
			}
		})
	}
	return app
}

// stop ends the traffic and gives what it did. It may be called again.
func (a *traffic) stop() *traffic {
	a.end()
	a.done.Wait()
	return a
}

// locks are the kinds of lock that one session has on wallet_balances, and for how long it was seen to hold or want each.
type locks struct {
	end  context.CancelFunc
	done sync.WaitGroup
	seen map[string]time.Duration // owned by the watching goroutine until it is done
}

// watchLocks looks at a session about every millisecond: a lock that is held for less may be missed.
func watchLocks(t *testing.T, url string, pid uint32) *locks {
	t.Helper()
	conn := connect(t, url, "watch")
	ctx, end := context.WithCancel(context.Background())
	l := &locks{end: end, seen: map[string]time.Duration{}}
	t.Cleanup(func() { _ = l.stop() })
	l.done.Go(func() {
		last := time.Now()
		for ctx.Err() == nil {
			rows, err := conn.Query(context.Background(), "SELECT mode || CASE WHEN granted THEN '' ELSE ' (waited for)' END FROM pg_locks WHERE pid = $1 AND relation = 'wallet_balances'::regclass", pid)
			if err != nil {
				t.Errorf("look at the locks: %v", err)
				return
			}
			modes, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				t.Errorf("look at the locks: %v", err)
				return
			}
			now := time.Now()
			for _, mode := range modes {
				l.seen[mode] += now.Sub(last)
			}
			last = now
			select {
			case <-ctx.Done():
			case <-time.After(time.Millisecond):
			}
		}
	})
	return l
}

// stop gives the locks as text, those held longest first.
func (l *locks) stop() string {
	l.end()
	l.done.Wait()
	var list []string
	for mode := range l.seen {
		list = append(list, mode)
	}
	sort.Slice(list, func(i, j int) bool { return l.seen[list[i]] > l.seen[list[j]] })
	for i, mode := range list {
		list[i] = fmt.Sprintf("%s %d ms", mode, l.seen[mode].Milliseconds())
	}
	return strings.Join(list, ", ")
}

// tableSize is the table's own size and that of its indexes.
func tableSize(t *testing.T, conn *pgx.Conn) string {
	t.Helper()
	return get[string](t, conn, "SELECT pg_size_pretty(pg_table_size('wallet_balances')) || ' + ' || pg_size_pretty(pg_indexes_size('wallet_balances'))")
}
