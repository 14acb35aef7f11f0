package claimer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/oklog/ulid/v2"
)

// DB runs the statements: a pool, a connection or a transaction of pgx. It is used as concurrently as the [Store] is.
type DB interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// Store is what the claimer does to the database: it leases, and gives back. It needs no broker. Every method is one statement that
// commits on its own and waits for no lock; all times are the database's. After an error the outcome is unknown, and the worst of it
// is rows that stay leased until their leases lapse. It may be used concurrently if its DB may.
type Store struct {
	db       DB
	instance string
	lease    time.Duration
	now      func() time.Time

	sweep, fast, orphans ladder
}

// NewStore gives a store whose claims are named after the instance and last for lease. sizes are numbers of rows that claims may
// have beside 10, 20, 50, 100, 200, 500, 1000 and 2000.
func NewStore(db DB, instance string, lease time.Duration, sizes ...int) *Store {
	return &Store{db: db, instance: instance, lease: lease, now: time.Now,
		sweep: newLadder(leaseTemplate(wire.Sweep), sizes...), fast: newLadder(leaseTemplate(wire.Fast), sizes...),
		orphans: newLadder(text("orphans.sql"), sizes...)}
}

// ClaimSweep leases due rows of a chain whose sweep_seq is above from and up to end, in that order. It asks for the largest size up
// to rows, or the smallest there is.
func (s *Store) ClaimSweep(ctx context.Context, chain uuid.UUID, from, end int64, rows int) (*Claimed, error) {
	return s.claim(ctx, s.sweep.atMost(rows), chain, from, end)
}

// ClaimFast leases due rows of a chain's fast lane, those asked for now before new ones. Sizes are as for [Store.ClaimSweep].
func (s *Store) ClaimFast(ctx context.Context, chain uuid.UUID, rows int) (*Claimed, error) {
	return s.claim(ctx, s.fast.atMost(rows), chain)
}

func (s *Store) claim(ctx context.Context, r rung, chain uuid.UUID, window ...any) (*Claimed, error) {
	c := &Claimed{Name: "balsync:" + s.instance + ":" + ulid.Make().String(), Asked: r.rows}
	c.Deadline = s.now().Add(s.lease - margin(s.lease)) // before the request: the database starts the lease later
	rows, err := s.db.Query(ctx, r.sql, append([]any{c.Name, chain, s.lease}, window...)...)
	if err != nil {
		return nil, fmt.Errorf("lease rows: %w", err)
	}
	if err := c.collect(rows); err != nil {
		return nil, fmt.Errorf("lease rows: %w", err)
	}
	return c, nil
}

// margin is how much of a lease is not counted on: 5 s of the leases that can be configured, less of the short ones of tests.
func margin(lease time.Duration) time.Duration { return min(5*time.Second, lease/6) }

// Release gives back those of the ids that the claim still holds. Each is due as before, with at least the given priority.
// It reports how many there were.
func (s *Store) Release(ctx context.Context, claim string, ids []uuid.UUID, priority int16) (int64, error) {
	tag, err := s.db.Exec(ctx, text("release.sql"), claim, ids, priority)
	if err != nil {
		return 0, fmt.Errorf("release rows: %w", err)
	}
	return tag.RowsAffected(), nil
}

// Rehome gives rows the chain of their asset. It reports how many had another; those that are busy keep it until the next pass.
func (s *Store) Rehome(ctx context.Context, ids []uuid.UUID) (int64, error) {
	tag, err := s.db.Exec(ctx, text("rehome.sql"), ids)
	if err != nil {
		return 0, fmt.Errorf("move rows to their chain: %w", err)
	}
	return tag.RowsAffected(), nil
}

// Next is where the sweep of a chain goes on: the first row behind a place, 0 when there is none, and the chain's last row.
func (s *Store) Next(ctx context.Context, chain uuid.UUID, place int64) (next, last int64, err error) {
	rows, err := s.db.Query(ctx, text("next.sql"), chain, place)
	if err != nil {
		return 0, 0, fmt.Errorf("look for the next row: %w", err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (f struct{ next, last *int64 }, err error) {
		return f, row.Scan(&f.next, &f.last)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("look for the next row: %w", err)
	}
	return orZero(found.next), orZero(found.last), nil
}

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// badData reports whether a statement failed on what is in the rows, such as a cast in an adopter's view, and not on the database.
func badData(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && len(pg.Code) == 5 && pg.Code[:2] == "22"
}
