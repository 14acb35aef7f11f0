package writer

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/jackc/pgx/v5/pgxpool"
)

// failing makes the next n applies of the table fail with the given SQLSTATE, each as a whole. A sequence counts them, since it keeps what a
// rollback undoes.
func (l *line) failing(n int, code string) {
	l.Helper()
	l.exec(`CREATE SEQUENCE IF NOT EXISTS attempts`)
	l.exec(`ALTER SEQUENCE attempts RESTART`)
	l.exec(fmt.Sprintf(`CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF nextval('attempts') <= %d THEN RAISE EXCEPTION 'on purpose' USING ERRCODE = '%s'; END IF; RETURN NULL; END $$`, n, code))
	l.exec(`CREATE OR REPLACE TRIGGER fail BEFORE UPDATE ON wallet_balances FOR EACH STATEMENT EXECUTE FUNCTION fail()`)
}

func TestWhatIsNoRowsFaultIsRetriedWhole(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	for _, code := range []string{"40001", "40P01", "55P03", "57014", "57P01", "53200", "08006", "42501"} {
		rows := make([]Row, 10)
		for i := range rows {
			rows[i] = l.leased("balsync:a:1")
		}
		l.failing(2, code)
		applied := l.fate(Applied)
		l.deliver(result(rows...))
		if got := l.text(`SELECT last_value FROM attempts`); got != "3" {
			t.Errorf("%s: %s statements, want 3: two that failed and one for all rows", code, got)
		}
		if n := l.fate(Applied) - applied; n != 10 {
			t.Errorf("%s: %d rows applied, want 10", code, n)
		}
		if n := l.metric("retries_total", code[:2]); n < 2 {
			t.Errorf("%s: %v retries counted, want 2", code, n)
		}
		l.exec(`DROP TRIGGER fail ON wallet_balances`)
	}
	if n := l.metric("bisections_total"); n != 0 {
		t.Errorf("%v bisections, want none", n)
	}
	if n := len(l.letters()); n != 0 {
		t.Errorf("%d dead letters", n)
	}
	l.settled()
}

// locked takes a lock that an apply has to wait for, until the returned function is called.
func (l *line) locked() (release func()) {
	l.Helper()
	tx, err := l.pool.Begin(context.Background())
	if err != nil {
		l.Fatal(err)
	}
	if _, err := tx.Exec(context.Background(), `LOCK TABLE wallet_balances IN SHARE ROW EXCLUSIVE MODE`); err != nil {
		l.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(context.Background()); err != nil {
			l.Error(err)
		}
	}
}

func TestAFullBatchWaitsForALockOnTheTable(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	l.app.store.LockTimeout = 50 * time.Millisecond
	rows := []Row{l.leased("balsync:a:1"), l.leased("balsync:a:1"), l.leased("balsync:a:1")}
	release := l.locked()
	l.send(result(rows...))
	messages := l.take(1)
	finished := l.background(func(ctx context.Context) { l.app.handle(ctx, messages) })
	wait.For(t, 10*time.Second, "two tries met the lock", func() bool { return l.metric("retries_total", "55") >= 2 })
	if _, states := l.app.process.Health.Ready(); !strings.Contains(states["writer.chain.testnet"], "lock timeout") {
		t.Errorf("meanwhile /readyz says %v", states)
	}
	release()
	finished()
	if l.fate(Applied) != 3 || l.metric("bisections_total") != 0 {
		t.Errorf("%d rows applied, %v bisections", l.fate(Applied), l.metric("bisections_total"))
	}
	l.settled()
	if _, states := l.app.process.Health.Ready(); states["writer.chain.testnet"] != "ok" {
		t.Errorf("afterwards /readyz says %v", states)
	}
}

func TestABatchWhoseConnectionsAreCutIsAppliedByTheNext(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	rows := []Row{l.leased("balsync:a:1"), l.leased("balsync:a:1")}
	release := l.locked()
	l.send(result(rows...))
	messages := l.take(1)
	finished := l.background(func(ctx context.Context) { l.app.handle(ctx, messages) })
	const waiting = `FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
	wait.For(t, 10*time.Second, "the apply waits", func() bool { return l.text(`SELECT count(*) `+waiting) == "1" })
	l.exec(`SELECT pg_terminate_backend(pid) ` + waiting)
	wait.For(t, 10*time.Second, "the cut is noticed", func() bool { return l.metric("retries_total") >= 1 })
	release()
	finished()
	if l.fate(Applied) != 2 {
		t.Errorf("%d rows applied", l.fate(Applied))
	}
	l.settled()
}

// cutter is a connection that breaks after COMMIT has reached the server and before its answer reaches us.
type cutter struct {
	net.Conn
	armed    *atomic.Bool
	breaking bool // owned by the one goroutine that uses the connection
}

func (c *cutter) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "commit\x00") && c.armed.CompareAndSwap(true, false) {
		c.breaking = true
	}
	return c.Conn.Write(p)
}

func (c *cutter) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.breaking && err == nil {
		_ = c.Close() // the answer has come, so the COMMIT took effect; nobody hears of it
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}

func TestACommitOfUnknownOutcomeIsRepeatedAndCountsOnce(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	var armed atomic.Bool
	l.app.store = NewStore(l.open(func(config *pgxpool.Config) {
		dial := config.ConnConfig.DialFunc
		config.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			return &cutter{Conn: conn, armed: &armed}, err
		}
	}))
	good, bad := l.leased("balsync:a:1"), l.leased("balsync:a:1").fail(RowFault, "reverted", "")
	armed.Store(true)
	l.deliver(result(good, bad))
	if armed.Load() || l.metric("retries_total", "connection") != 1 {
		t.Fatalf("the connection was not cut: %v retries", l.metric("retries_total"))
	}
	l.want(l.row(good), `{"on_chain_balance_raw": "1500000", "sync_count": 1, "locked_by": null}`)
	l.want(l.row(bad), `{"error_count": 1, "locked_by": null}`)
	// The first COMMIT did everything: the second found nothing left to do.
	if l.fate(Superseded) != 2 {
		t.Errorf("%d superseded", l.fate(Superseded))
	}
	l.settled()
}
