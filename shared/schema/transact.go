package schema

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	lockKey      = 0x62616c73796e63 // "balsync": the advisory lock, one for a database
	lockAttempts = 30               // with the pauses, some four minutes of asking for a table lock
	lockPause    = 250 * time.Millisecond
	lockPauseMax = 5 * time.Second
	busyPause    = 100 * time.Millisecond // between looks at another Up
	endTimeout   = 5 * time.Second        // for the rollback after ctx has ended
)

// run is one Up, or one look at the database.
type run struct {
	conn *pgx.Conn
	opt  Options
	home string // the schema that everything of ours is in; known inside a transaction
}

// transact runs fn in a transaction that holds the migration lock. It waits for another Up as long as ctx lasts. If a table lock is
// not given within LockWait, or a deadlock is broken at our cost, the whole transaction is run again after a pause, so fn may run
// many times and keeps nothing of a run that failed.
func (r *run) transact(ctx context.Context, fn func(tx pgx.Tx) error) error {
	pause := lockPause
	for attempt := 1; ; {
		held, err := r.once(ctx, pgx.TxOptions{}, true, fn)
		switch {
		case err == nil && held:
			return nil
		case err == nil:
			if err := wait(ctx, busyPause); err != nil {
				return fmt.Errorf("wait for another migration: %w", err)
			}
		case !contended(err):
			return err
		case attempt == lockAttempts:
			return fmt.Errorf("no lock on the table in %d attempts, a long transaction may hold it: %w", attempt, err)
		default:
			if err := wait(ctx, pause); err != nil {
				return fmt.Errorf("wait for a table lock: %w", err)
			}
			attempt++
			pause = min(2*pause, lockPauseMax)
		}
	}
}

// look runs fn in a read-only transaction without any lock of ours.
func (r *run) look(ctx context.Context, fn func(tx pgx.Tx) error) error {
	_, err := r.once(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly}, false, fn)
	return err
}

// once is one transaction. held is false, and fn not run, when another Up has the lock.
func (r *run) once(ctx context.Context, opt pgx.TxOptions, lock bool, fn func(tx pgx.Tx) error) (held bool, err error) {
	tx, err := r.conn.BeginTx(ctx, opt)
	if err != nil {
		return false, fmt.Errorf("begin: %w", err)
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
		defer cancel()
		// After a commit there is nothing to roll back. If this fails, the connection is gone and the server rolls back by itself.
		_ = tx.Rollback(end)
	}()
	var home *string
	wait := fmt.Sprintf("%dms", r.opt.lockWait().Milliseconds())
	err = tx.QueryRow(ctx, text("begin.sql"), int64(lockKey), wait, "0", lock).Scan(&home, &held, nil, nil, nil)
	switch {
	case errors.Is(err, pgx.ErrNoRows) || err == nil && home == nil:
		return false, errors.New("the search_path of this connection names no schema that exists")
	case err != nil:
		return false, fmt.Errorf("open the transaction: %w", err)
	case !held:
		return false, nil
	}
	r.home = *home
	if err := fn(tx); err != nil {
		return false, err
	}
	if err := tx.Commit(ctx); err != nil {
		return false, fmt.Errorf("commit: %w", err)
	}
	return true, nil
}

// contended says that others were in the way and that the same transaction may pass later.
func contended(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	return pg.Code == "55P03" || pg.Code == "40P01" // lock_not_available, deadlock_detected
}

// wait is a pause of about d, at most twice that, which ends early with ctx.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d + rand.N(d))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
