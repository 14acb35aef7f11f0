package writer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/prometheus/client_golang/prometheus"
)

// second is another writer of the same chain, in a process of its own.
func (l *line) second() *line {
	l.Helper()
	twin := *l
	twin.registry = prometheus.NewRegistry()
	m, err := newMetrics(twin.registry)
	if err != nil {
		l.Fatal(err)
	}
	process := l.process()
	process.Instance, process.Health, process.Metrics = "b", service.NewHealth(), twin.registry
	twin.app = newApplier(l.app.chain, interval, l.open(nil), l.app.conn, process, m)
	if !twin.app.prepare(l.Context()) {
		l.Fatal("the chain was not found")
	}
	return &twin
}

// neighbour updates the rows from the last to the first, a few in a transaction: the order in which a writer that waited would deadlock with
// it. It goes on until ctx ends, with rests in between as any application has them, and counts its transactions and its deadlocks.
func (l *line) neighbour(ctx context.Context, rows []Row, done, deadlocks *atomic.Int64) {
	pool := l.open(nil)
	for pause(ctx, 5*time.Millisecond) == nil {
		at := rand.N(len(rows))
		some := slices.Clone(rows[at:min(at+8, len(rows))])
		slices.Reverse(some)
		err := func() error {
			tx, err := pool.Begin(context.Background())
			if err != nil {
				return err
			}
			for _, r := range some {
				if _, err := tx.Exec(context.Background(), `UPDATE wallet_balances SET created_at = now() WHERE id = $1`, r.ID); err != nil {
					return errors.Join(err, tx.Rollback(context.Background()))
				}
			}
			return tx.Commit(context.Background())
		}()
		var pg *pgconn.PgError
		switch {
		case err == nil:
			done.Add(1)
		case errors.As(err, &pg) && pg.Code == "40P01":
			deadlocks.Add(1)
		default:
			l.Errorf("the neighbour: %v", err)
			return
		}
	}
}

// Row 18 of the faults: two writers with the same results, and an application that updates the same rows in the opposite order.
func TestTwoWritersAndAnApplicationOnTheSameRowsNeverDeadlock(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	m := l.second()
	const rounds, count = 5, 120
	rows := make([]Row, count)
	for i := range rows {
		rows[i] = l.leased("balsync:a:0")
	}

	// One row is held until both writers have met it: that they were busy is no matter of luck.
	tx, err := l.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }() // after Commit this does nothing
	if _, err := tx.Exec(t.Context(), `UPDATE wallet_balances SET created_at = now() WHERE id = $1`, rows[count-1].ID); err != nil {
		t.Fatal(err)
	}

	var transactions, deadlocks atomic.Int64
	ended := make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	theirs := slices.Clone(rows[:count-1])
	go func() { defer close(ended); l.neighbour(ctx, theirs, &transactions, &deadlocks) }()
	defer func() { stop(); <-ended }()

	for round := range rounds {
		claim := fmt.Sprintf("balsync:a:%d", round)
		for i := range rows {
			rows[i].Claim, rows[i].Height = claim, 100+int64(round)
			if round > 0 {
				l.lease(rows[i], claim)
			}
		}
		turned := slices.Clone(rows)
		slices.Reverse(turned)
		l.send(result(rows...), result(turned...)) // one claim, read twice: a redelivery
		messages := l.take(2)
		first := l.background(func(ctx context.Context) { l.app.handle(ctx, messages[:1]) })
		other := l.background(func(ctx context.Context) { m.app.handle(ctx, messages[1:]) })
		if round == 0 {
			wait.For(t, 10*time.Second, "both writers have met a busy row", func() bool {
				return l.metric("busy_retries_total") > 0 && m.metric("busy_retries_total") > 0
			})
			if err := tx.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		first()
		other()
		if n := l.text(`SELECT count(*) FROM wallet_balances WHERE locked_by IS NOT NULL`); n != "0" {
			t.Fatalf("round %d: %s rows are still leased", round, n)
		}
	}
	stop()
	<-ended
	if transactions.Load() == 0 {
		t.Error("the neighbour did nothing")
	}
	if n := deadlocks.Load(); n > 0 || l.metric("retries_total")+m.metric("retries_total") > 0 {
		t.Errorf("the neighbour lost %d transactions to deadlocks, the writers tried %v and %v batches again", n, l.metric("retries_total"), m.metric("retries_total"))
	}
	if n := l.fate(Busy) + m.fate(Busy); n > 0 {
		t.Errorf("%d rows were left busy", n)
	}
	// Each claim counted once, whichever writer was first.
	if n := l.text(`SELECT count(*) FROM wallet_balances WHERE sync_count <> $1 OR on_chain_balance_raw <> '1500000' OR observed_height <> $2`, rounds, 100+rounds-1); n != "0" {
		t.Errorf("%s rows are not as one writer would have left them", n)
	}
	if n := l.fate(Applied) + m.fate(Applied); n != rounds*count {
		t.Errorf("%d rows applied, want %d", n, rounds*count)
	}
	l.settled()
}

// Row 31 of the faults: what was read is not there any more, or is something else by now.
func TestRowsThatAreDeletedOrChangedInFlightAreCountedAndCauseNoErrors(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	const each = 5
	kept, deleted, changed, moved := []Row{}, []Row{}, []Row{}, []Row{}
	for range each {
		for _, list := range []*[]Row{&kept, &deleted, &changed, &moved} {
			*list = append(*list, l.leased("balsync:a:1"))
		}
	}
	reading := result(slices.Concat(kept, deleted, changed, moved)...)
	l.send(reading, reading)
	for i := range each {
		l.exec(`DELETE FROM wallet_balances WHERE id = $1`, deleted[i].ID)
		l.exec(`UPDATE wallet_balances SET asset_on_chain_id = $2 WHERE id = $1`, changed[i].ID, id(t, "a3"))
		l.exec(`UPDATE wallet_balances SET asset_on_chain_id = $2 WHERE id = $1`, moved[i].ID, id(t, "a4")) // on another chain
	}
	for range 2 { // each alone: a redelivery finds what the first has left
		l.app.handle(t.Context(), l.take(1))
	}
	if n := l.fate(Unknown); n != 2*2*each {
		t.Errorf("%d rows were unknown, want %d deleted and %d moved, twice", n, each, each)
	}
	if l.fate(Applied) != each || l.fate(Stale) != each || l.fate(Failed) != 0 {
		t.Errorf("applied %d, stale %d, failed %d", l.fate(Applied), l.fate(Stale), l.fate(Failed))
	}
	for i := range each {
		l.want(l.row(kept[i]), `{"on_chain_balance_raw": "1500000", "sync_count": 1, "locked_by": null}`)
		// Free, due, without a balance and without a fault.
		l.want(l.row(changed[i]), `{"on_chain_balance_raw": null, "observed_epoch": 1, "due_at": "-infinity", "error_count": 0, "last_error": null, "sync_count": 0}`)
		l.want(l.row(changed[i]), free)
		// Its lease is the other chain's sweep's to end.
		l.want(l.row(moved[i]), `{"on_chain_balance_raw": null, "observed_epoch": 1, "error_count": 0, "last_error": null, "locked_by": "balsync:a:1"}`)
	}
	if n := len(l.letters()); n != 0 {
		t.Errorf("%d dead letters", n)
	}
	l.settled()

	// The next claim reads the new asset, and that is what the row gets.
	other := changed[0]
	other.Asset.ID, other.Asset.Contract, other.Asset.Decimals = id(t, "a3"), "0xAbC3", 0
	other.Epoch, other.Claim = 1, "balsync:a:2"
	l.lease(other, other.Claim)
	l.deliver(result(other))
	l.want(l.row(other), `{"on_chain_balance_raw": "1500000", "on_chain_balance_human": 1500000, "sync_count": 1}`)
}
