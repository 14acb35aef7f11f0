package writer

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"time"

	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed apply.sql
var applySQL string

//go:embed limits.sql
var limitsSQL string

//go:embed assets.sql
var assetsSQL string

// Store applies results to wallet_balances. It may be used concurrently, by several processes too: it never waits for a row.
type Store struct {
	pool *pgxpool.Pool
	// StatementTimeout and LockTimeout bound each statement of an apply and its waits. No row lock is waited for; what is
	// left is a lock on the table, such as a migration's. Set them before the first use.
	StatementTimeout, LockTimeout time.Duration
}

// NewStore gives a store on the pool, which stays the caller's.
func NewStore(pool *pgxpool.Pool) *Store {
	return &Store{pool: pool, StatementTimeout: 15 * time.Second, LockTimeout: 2 * time.Second}
}

// Apply writes the rows of one chain in one transaction and gives one outcome a row: same index, same length. Rows are written in their
// order, at most 2,000 a statement, and of several results for one row each is judged against what the ones before it left.
// interval is how long a row with a value rests until it is due again.
//
// It may be repeated, in any order and any number of times: the table is the same. So after an error, which says that nothing
// was written or, if the connection broke in COMMIT, that everything may have been, the same rows are applied again. [IsData] tells
// whether one of the rows is to blame.
func (s *Store) Apply(ctx context.Context, chain uuid.UUID, interval time.Duration, rows []Row) ([]Outcome, error) {
	outcomes := make([]Outcome, len(rows))
	// Read committed, whatever the role's default: each statement must see what was committed before it.
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite}, func(tx pgx.Tx) error {
		now, err := s.open(ctx, tx, chain, rows)
		if err != nil {
			return err
		}
		for _, statement := range split(rows) {
			if err := apply(ctx, tx, chain, interval, now, rows, statement, outcomes); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("apply %d rows: %w", len(rows), err)
	}
	return outcomes, nil
}

// open bounds the transaction and looks at the assets of the rows, in one round trip.
func (s *Store) open(ctx context.Context, tx pgx.Tx, chain uuid.UUID, rows []Row) (assets, error) {
	var ids []uuid.UUID
	known := map[uuid.UUID]bool{}
	for _, row := range rows {
		if !known[row.Asset.ID] {
			known[row.Asset.ID] = true
			ids = append(ids, row.Asset.ID)
		}
	}
	now := assets{}
	var batch pgx.Batch
	batch.Queue(limitsSQL, setting(s.StatementTimeout), setting(s.LockTimeout))
	batch.Queue(assetsSQL, ids, chain).Query(func(found pgx.Rows) error {
		var a wire.Asset
		_, err := pgx.ForEachRow(found, []any{&a.ID, &a.Contract, &a.Decimals, &a.Native}, func() error {
			now[asset(a)] = true
			return nil
		})
		return err
	})
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return nil, fmt.Errorf("look at the assets: %w", err)
	}
	return now, nil
}

// setting is a duration as Postgres reads it.
func setting(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) + "ms" }

// apply runs one statement for the rows with the given indexes and notes their outcomes.
func apply(ctx context.Context, tx pgx.Tx, chain uuid.UUID, interval time.Duration, now assets, rows []Row, indexes []int, outcomes []Outcome) error {
	c := newColumns(len(indexes))
	for _, i := range indexes {
		row, human, refused := accept(rows[i], now)
		outcomes[i].Refused = refused
		c.add(row, human)
	}
	found, err := tx.Query(ctx, applySQL, c.arguments(chain, interval)...)
	if err != nil {
		return err
	}
	var place int
	var fate string
	_, err = pgx.ForEachRow(found, []any{&place, &fate}, func() error {
		outcomes[indexes[place-1]].Fate = Fate(fate)
		return nil
	})
	return err
}
