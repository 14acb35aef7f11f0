package schema

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// exists says whether the schema of ours has a relation of that name, of whatever kind.
func (r *run) exists(ctx context.Context, tx pgx.Tx, relation string) (bool, error) {
	var found bool
	err := tx.QueryRow(ctx, `SELECT to_regclass(format('%I.%I', $1::text, $2::text)) IS NOT NULL`, r.home, relation).Scan(&found)
	if err != nil {
		return false, fmt.Errorf("look for %s: %w", relation, err)
	}
	return found, nil
}

// mark is a row of balance_sync_migrations.
type mark struct {
	version  int
	checksum string
	applied  time.Time
}

// marks reads what was applied here; none where the table does not exist yet.
func (r *run) marks(ctx context.Context, tx pgx.Tx) (map[int]mark, error) {
	there, err := r.exists(ctx, tx, "balance_sync_migrations")
	if err != nil || !there {
		return nil, err
	}
	rows, err := tx.Query(ctx, `SELECT version, checksum, applied_at FROM balance_sync_migrations`)
	if err != nil {
		return nil, fmt.Errorf("read balance_sync_migrations: %w", err)
	}
	found := make(map[int]mark)
	var m mark
	_, err = pgx.ForEachRow(rows, []any{&m.version, &m.checksum, &m.applied}, func() error {
		found[m.version] = m
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read balance_sync_migrations: %w", err)
	}
	return found, nil
}

// compare puts into the steps what the marks say of them. To go on from a step that this binary does not know would be a guess.
func compare(list []step, found map[int]mark) error {
	for version := range found {
		if version > Version {
			return fmt.Errorf("the database is at step %d and this binary knows %d: run a newer one", version, Version)
		}
	}
	for i := range list {
		s := &list[i]
		if m, ok := found[s.Version]; ok {
			s.Applied, s.Changed = m.applied, m.checksum != s.Checksum
		}
	}
	return nil
}

// unchanged is an error that names the first step that was applied from another file than this binary has.
func unchanged(list []step) error {
	for _, s := range list {
		if s.Changed {
			return fmt.Errorf("%s was changed after it was applied on %s", s.File(), s.Applied.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

// record ends a step, in the transaction that did its work.
func record(ctx context.Context, tx pgx.Tx, s *step) error {
	err := tx.QueryRow(ctx, `INSERT INTO balance_sync_migrations (version, name, checksum) VALUES ($1, $2, $3) RETURNING applied_at`,
		s.Version, s.Name, s.Checksum).Scan(&s.Applied)
	if err != nil {
		return fmt.Errorf("record the step: %w", err)
	}
	return nil
}
