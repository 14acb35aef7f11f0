package schema

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Status is every step, and when it was applied here. It changes nothing. A database that is ahead of this binary is an error.
func Status(ctx context.Context, conn *pgx.Conn) ([]Step, error) {
	list := steps()
	r := &run{conn: conn}
	err := r.look(ctx, func(tx pgx.Tx) error {
		found, err := r.marks(ctx, tx)
		if err != nil {
			return err
		}
		return compare(list, found)
	})
	if err != nil {
		return nil, err
	}
	public := make([]Step, len(list))
	for i, s := range list {
		public[i] = s.Step
	}
	return public, nil
}

// Print writes what Up would run and what it would lock, for a person to read beforehand: the size of wallet_balances, then each
// step with its state, its locks both ways, and its SQL. What only Options.Online runs is commented out.
func Print(ctx context.Context, conn *pgx.Conn, w io.Writer) error {
	list, err := Status(ctx, conn)
	if err != nil {
		return err
	}
	r := &run{conn: conn}
	var size string
	err = r.look(ctx, func(tx pgx.Tx) error {
		size, err = r.size(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, s := range list {
		s.print(&b, size)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print the steps: %w", err)
	}
	return nil
}

// print writes one step.
func (s Step) print(b *strings.Builder, size string) {
	state := "pending"
	switch {
	case s.Changed:
		state = "changed after it was applied on " + s.Applied.UTC().Format(time.RFC3339)
	case !s.Applied.IsZero():
		state = "applied on " + s.Applied.UTC().Format(time.RFC3339)
	}
	fmt.Fprintf(b, "-- step %d, %s: %s\n-- %s\n-- lock: %s\n", s.Version, s.Name, state, size, s.Lock)
	if s.OnlineLock != "" {
		fmt.Fprintf(b, "-- lock, online: %s\n", s.OnlineLock)
	}
	fmt.Fprintf(b, "BEGIN;\n%s\nCOMMIT;\n", strings.TrimSpace(s.SQL))
	if s.OnlineSQL != "" {
		fmt.Fprintf(b, "-- online, instead:\n--   %s\n", strings.ReplaceAll(strings.TrimSpace(s.OnlineSQL), "\n", "\n--   "))
	}
	b.WriteString("\n")
}

// size says how large the table is, with its indexes; the number of rows is Postgres's estimate.
func (r *run) size(ctx context.Context, tx pgx.Tx) (string, error) {
	there, err := r.exists(ctx, tx, table)
	if err != nil {
		return "", err
	}
	if !there {
		return table + " does not exist here", nil
	}
	var size string
	var rows int64
	err = tx.QueryRow(ctx, `SELECT pg_size_pretty(pg_total_relation_size(c.oid)), c.reltuples::bigint FROM pg_class c WHERE c.oid = 'wallet_balances'::regclass`).
		Scan(&size, &rows)
	if err != nil {
		return "", fmt.Errorf("measure %s: %w", table, err)
	}
	if rows < 0 {
		return fmt.Sprintf("%s: %s with its indexes, never analyzed", table, size), nil
	}
	return fmt.Sprintf("%s: %s with its indexes, about %d rows", table, size, rows), nil
}
