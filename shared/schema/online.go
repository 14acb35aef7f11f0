package schema

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	fillPages    = 64                     // a batch: 512 KB of the table, some thousands of rows
	passPause    = 200 * time.Millisecond // after a pass that left rows which others hold
	passPauseMax = 5 * time.Second
)

// columns is the step without its rewrite.
func (r *run) columns(ctx context.Context, s *step) (mine bool, err error) {
	short := *s
	short.SQL = s.OnlineSQL
	mine, err = r.plain(ctx, &short)
	s.Applied = short.Applied
	return mine, err
}

// fill gives every row its chain and its place in the sweep, a transaction for each batch of pages. It keeps no cursor: filled rows
// are passed by, so after a crash it starts from the first page again and soon is where it was. A row that others hold or move is
// left to the next pass; the step ends when a look at the whole table finds none.
func (r *run) fill(ctx context.Context, s *step) (mine bool, err error) {
	for pause := passPause; ; pause = min(2*pause, passPauseMax) {
		if done, err := r.pass(ctx, s); err != nil || done {
			return false, err
		}
		var left bool
		err := r.transact(ctx, func(tx pgx.Tx) error {
			var err error
			if mine, err = r.pending(ctx, tx, s); err != nil || !mine {
				return err
			}
			if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM wallet_balances WHERE sweep_seq = 0)`).Scan(&left); err != nil {
				return fmt.Errorf("look for rows left: %w", err)
			}
			if left {
				return nil
			}
			if _, err := tx.Exec(ctx, `ANALYZE wallet_balances`); err != nil {
				return fmt.Errorf("analyze: %w", err)
			}
			return record(ctx, tx, s)
		})
		if err != nil || !left || !mine {
			return mine, err
		}
		if err := wait(ctx, pause); err != nil {
			return false, fmt.Errorf("wait for rows that others hold: %w", err)
		}
	}
}

// pass goes once over all pages, those included that are added meanwhile. done: another Up has taken the step.
func (r *run) pass(ctx context.Context, s *step) (done bool, err error) {
	for first := int64(0); ; first += fillPages {
		var pages, rows int64
		err := r.transact(ctx, func(tx pgx.Tx) error {
			rows = 0
			if err := tx.QueryRow(ctx, `SELECT pg_relation_size('wallet_balances') / current_setting('block_size')::bigint`).Scan(&pages); err != nil {
				return fmt.Errorf("measure the table: %w", err)
			}
			mine, err := r.pending(ctx, tx, s)
			if done = !mine; err != nil || done || first >= pages {
				return err
			}
			tag, err := tx.Exec(ctx, s.OnlineSQL, fmt.Sprintf("(%d,0)", first), fmt.Sprintf("(%d,0)", first+fillPages))
			if err != nil {
				return fmt.Errorf("fill from page %d: %w", first, err)
			}
			rows = tag.RowsAffected()
			return nil
		})
		if err != nil || done || first >= pages {
			return done, err
		}
		if s.Rows += rows; rows > 0 {
			r.opt.log(s)
		}
	}
}
