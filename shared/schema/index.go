package schema

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// concurrently builds an index while the table is in use. Such a build is no transaction: a crash leaves an index that every update
// maintains and no query uses. So each round looks at what is there: a valid index ends the step, an invalid one is dropped and
// built again, and one that another Up is building just now is waited for.
func (r *run) concurrently(ctx context.Context, s *step) (mine bool, err error) {
	for attempt := 1; ; attempt++ {
		var valid bool
		err := r.transact(ctx, func(tx pgx.Tx) error {
			var err error
			if mine, err = r.pending(ctx, tx, s); err != nil || !mine {
				return err
			}
			if err := r.dropInvalid(ctx, tx, s.index); err != nil {
				return err
			}
			if valid, err = r.exists(ctx, tx, s.index); err != nil || !valid {
				return err
			}
			return record(ctx, tx, s)
		})
		if err != nil || !mine || valid {
			return mine && valid, err
		}
		if err := r.build(ctx, s); err != nil && attempt == lockAttempts {
			return false, err
		} else if err != nil && !rival(err) {
			return false, err
		}
	}
}

// build runs outside of any transaction, so with the session's path and timeouts, which are not ours to set: it names the schema, and
// says what may have cut it short.
func (r *run) build(ctx context.Context, s *step) error {
	target := pgx.Identifier{r.home, table}.Sanitize()
	sql := strings.Replace(s.OnlineSQL, "ON "+table, "ON "+target, 1)
	if _, err := r.conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("build the index (lock_timeout and statement_timeout of the role apply): %w", err)
	}
	return nil
}

// rival says that another Up was first or in the way: look again.
func rival(err error) bool {
	var pg *pgconn.PgError
	return contended(err) || errors.As(err, &pg) && (pg.Code == "42P07" || pg.Code == "23505") // the name is taken, or was this instant
}

// dropInvalid removes what a build that was cut short has left. A running build holds SHARE UPDATE EXCLUSIVE on the table; once we
// hold that, an index that is still invalid is nobody's.
func (r *run) dropInvalid(ctx context.Context, tx pgx.Tx, index string) error {
	for _, step := range []string{`LOCK TABLE wallet_balances IN SHARE UPDATE EXCLUSIVE MODE`, `DROP INDEX ` + pgx.Identifier{r.home, index}.Sanitize()} {
		var invalid bool
		err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass(format('%I.%I', $1::text, $2::text)) AND NOT indisvalid)`,
			r.home, index).Scan(&invalid)
		if err != nil {
			return fmt.Errorf("look at %s: %w", index, err)
		}
		if !invalid {
			return nil
		}
		if _, err := tx.Exec(ctx, step); err != nil {
			return fmt.Errorf("clear the unfinished %s: %w", index, err)
		}
	}
	return nil
}
