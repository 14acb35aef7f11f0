package db

import (
	"context"
	"fmt"
	"io"
	"time"
)

// result of one measurement.
type result struct {
	rows         int64
	took         time.Duration
	updates, hot int64
	wal          int64
}

func (r result) rate() float64 { return float64(r.rows) / r.took.Seconds() }

func (r result) print(out io.Writer, round int, way string) {
	fmt.Fprintf(out, "%-6d %-22s %10.0f %12d %7.1f%% %8.0f\n", round, way, r.rate(), r.rows, 100*float64(r.hot)/float64(max(r.updates, 1)), float64(r.wal)/float64(max(r.rows, 1)))
}

// measure runs one way for its time and reads the server's counters before and after.
func (t *table) measure(ctx context.Context, opt options, way func(context.Context, options) (int64, error)) (result, error) {
	before, err := t.counters(ctx)
	if err != nil {
		return result{}, err
	}
	began := time.Now()
	rows, err := way(ctx, opt)
	if err != nil {
		return result{}, err
	}
	took := time.Since(began)
	after, err := t.counters(ctx)
	if err != nil {
		return result{}, err
	}
	return result{rows: rows, took: took, updates: after.updates - before.updates, hot: after.hot - before.hot, wal: after.wal - before.wal}, nil
}

// counters reads updates, HOT updates and the position of the WAL. The statistics of a session are flushed at its end of
// transaction, but at most once a second: the pool is reset so that all sessions have ended.
func (t *table) counters(ctx context.Context) (r result, err error) {
	t.pool.Reset()
	const sql = `SELECT n_tup_upd, n_tup_hot_upd, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint FROM pg_stat_user_tables WHERE relname = 'wallet_balances'`
	if err := t.pool.QueryRow(ctx, sql).Scan(&r.updates, &r.hot, &r.wal); err != nil {
		return r, fmt.Errorf("read counters: %w", err)
	}
	return r, nil
}
