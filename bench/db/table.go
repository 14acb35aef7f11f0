package db

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"time"

	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed fill.sql
var fillSQL string

// table is the table under test.
type table struct {
	pool   *pgxpool.Pool
	chains []uuid.UUID
	cursor map[uuid.UUID]int64
	next   int // the chain whose turn it is

	claiming, applying time.Duration // spent in the two statements by the last measurement; they run side by side
}

// prepare migrates the database and fills it: wallets with three assets on one of five chains each, wallet by wallet.
func prepare(ctx context.Context, url string, opt options, notes io.Writer) (*table, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }() // the server is stopped soon after
	if _, err := schema.Up(ctx, conn, schema.Options{}); err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	began := time.Now()
	if _, err := conn.Exec(ctx, fillSQL, pgx.QueryExecModeSimpleProtocol, opt.rows/3); err != nil {
		return nil, fmt.Errorf("fill: %w", err)
	}
	if _, err := conn.Exec(ctx, "VACUUM ANALYZE"); err != nil {
		return nil, fmt.Errorf("vacuum: %w", err)
	}
	fmt.Fprintf(notes, "%d rows made in %.0f s\n", opt.rows/3*3, time.Since(began).Seconds())
	t := &table{cursor: map[uuid.UUID]int64{}}
	if t.pool, err = schema.OpenPool(secret.New(url), "bench-db", 4); err != nil {
		return nil, err
	}
	rows, err := t.pool.Query(ctx, "SELECT id FROM chains ORDER BY name")
	if err != nil {
		return nil, fmt.Errorf("read the chains: %w", err)
	}
	if t.chains, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID]); err != nil {
		return nil, fmt.Errorf("read the chains: %w", err)
	}
	return t, nil
}
