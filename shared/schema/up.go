package schema

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	table      = "wallet_balances"
	sweepIndex = "wallet_balances_sweep"
	fastIndex  = "wallet_balances_fast"
)

// Options say how Up works. The zero value is the plain way.
type Options struct {
	Online   bool          // no long lock on wallet_balances: see the package comment
	LockWait time.Duration // how long one request for a table lock may hold up the traffic behind it; default 2 s
	Log      func(Step)    // told of each step once it is applied, and of the fill also after each batch; may be nil
}

func (o Options) lockWait() time.Duration {
	if o.LockWait > 0 {
		return o.LockWait
	}
	return 2 * time.Second
}

func (o Options) log(s *step) {
	if o.Log != nil {
		o.Log(s.Step)
	}
}

// Up takes the steps that are missing and returns those that it took, up to the one that failed. It may be called again after any
// error or crash, and by many at once: each step is taken once.
//
// conn is used by nobody else meanwhile, and its role owns wallet_balances or may create it. An error that ends ctx's time or the
// connection leaves open whether the step it names was taken; the next Up finds out.
func Up(ctx context.Context, conn *pgx.Conn, opt Options) ([]Step, error) {
	r := &run{conn: conn, opt: opt}
	list := steps()
	if err := r.prepare(ctx, list); err != nil {
		return nil, err
	}
	var taken []Step
	for i := range list {
		s := &list[i]
		if !s.Applied.IsZero() {
			continue
		}
		take := (*run).plain
		if opt.Online && s.online != nil {
			take = s.online
		}
		mine, err := take(r, ctx, s)
		if err != nil {
			return taken, fmt.Errorf("%s: %w", s.File(), err)
		}
		if mine {
			opt.log(s)
			taken = append(taken, s.Step)
		}
	}
	return taken, nil
}

// prepare makes the table of steps and reads it.
func (r *run) prepare(ctx context.Context, list []step) error {
	return r.transact(ctx, func(tx pgx.Tx) error {
		found, err := r.marks(ctx, tx)
		if err != nil {
			return err
		}
		if found == nil {
			if _, err := tx.Exec(ctx, text("migrations.sql")); err != nil {
				return fmt.Errorf("create balance_sync_migrations: %w", err)
			}
		}
		if err := compare(list, found); err != nil {
			return err
		}
		return unchanged(list)
	})
}

// plain takes a step in one transaction. mine is false when another Up has taken it.
func (r *run) plain(ctx context.Context, s *step) (mine bool, err error) {
	err = r.transact(ctx, func(tx pgx.Tx) error {
		var err error
		if mine, err = r.pending(ctx, tx, s); err != nil || !mine {
			return err
		}
		if err := r.work(ctx, tx, s); err != nil {
			return err
		}
		return record(ctx, tx, s)
	})
	return mine, err
}

// pending looks again under the lock: since prepare another Up may have taken the step.
func (r *run) pending(ctx context.Context, tx pgx.Tx, s *step) (bool, error) {
	found, err := r.marks(ctx, tx)
	_, done := found[s.Version]
	return !done, err
}

// work is what a step does beside recording itself.
func (r *run) work(ctx context.Context, tx pgx.Tx, s *step) error {
	if s.unless != "" {
		there, err := r.exists(ctx, tx, s.unless)
		if err != nil {
			return err
		}
		if !there {
			if _, err := tx.Exec(ctx, s.SQL); err != nil {
				return s.advise(err)
			}
		}
		return r.suits(ctx, tx, s.unless)
	}
	if s.index != "" {
		if there, err := r.built(ctx, tx, s.index); err != nil || there {
			return err
		}
	}
	_, err := tx.Exec(ctx, s.SQL)
	return err
}

// built reports whether an online Up has built the index already, and died or was overtaken before it said so. The lock is the one that
// building takes; it waits for a build that is under way, so that what is found after it stays as it is.
func (r *run) built(ctx context.Context, tx pgx.Tx, index string) (bool, error) {
	if _, err := tx.Exec(ctx, "LOCK TABLE wallet_balances IN SHARE MODE"); err != nil {
		return false, fmt.Errorf("lock wallet_balances: %w", err)
	}
	if err := r.dropInvalid(ctx, tx, index); err != nil {
		return false, err
	}
	return r.exists(ctx, tx, index)
}

// advise adds to the error of a view over tables that are not here, or not ours, what its maker can do.
func (s *step) advise(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err
	}
	for _, v := range Views() {
		if v.Name == s.unless {
			return fmt.Errorf("%w: make the view %s over your own tables, then %s", err, v, remedy)
		}
	}
	return err
}
