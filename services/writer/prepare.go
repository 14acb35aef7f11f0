package writer

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

//go:embed chain.sql
var chainSQL string

//go:embed mark.sql
var markSQL string

// lookAgain is how often a chain is looked for that the database does not have.
const lookAgain = 3 * time.Second

// scanLimit is how long the one scan of a chain's rows may take.
const scanLimit = 5 * time.Minute

// prepare waits until the database has the chain, then reads how far the chain has come. Until then nothing is pulled, so the
// chain's messages stay where they are. It is false when ctx ended first.
func (a *applier) prepare(ctx context.Context) bool {
	said := ""
	for {
		err := a.look(ctx)
		if ctx.Err() != nil {
			return false
		}
		a.report(err)
		if err == nil {
			a.log.Info().Stringer("id", a.id).Int64("height", a.bound.height).Msg("chain found")
			return true
		}
		if text := err.Error(); text != said {
			said = text
			a.log.Warn().Err(err).Msg("chain is not served yet")
		}
		if pause(ctx, lookAgain) != nil {
			return false
		}
	}
}

// look finds the chain and its mark.
func (a *applier) look(ctx context.Context) error {
	id, name := a.chain.Key()
	column := "the name"
	if id != "" {
		column = "the id"
	}
	rows, err := a.pool.Query(ctx, chainSQL, id, name)
	if err != nil {
		return fmt.Errorf("look for the chain: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return fmt.Errorf("look for the chain: %w", err)
	}
	if len(found) != 1 {
		return fmt.Errorf("balance_sync_chains has %d chains with %s %q", len(found), column, id+name)
	}
	a.id = found[0]
	return a.scan(ctx)
}

// scan reads the mark from the rows, with more time than a role usually grants.
func (a *applier) scan(ctx context.Context) error {
	var height *int64
	var at *time.Time
	err := pgx.BeginFunc(ctx, a.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, limitsSQL, setting(scanLimit), setting(a.store.LockTimeout)); err != nil {
			return err
		}
		return tx.QueryRow(ctx, markSQL, a.id).Scan(&height, &at)
	})
	if err != nil {
		return fmt.Errorf("read the chain's highest height: %w", err)
	}
	a.bound.restore(height, at)
	return nil
}
