package schema

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// remedy ends every sentence that says that something of ours is missing.
const remedy = "run `balsync migrate up`"

// Querier runs one query. Ready asks it once and keeps nothing: a connection, a pool and a transaction will do.
type Querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Ready says by nil that claims and applies find what they name: the columns, the three views and the two indexes. It is one query of
// the catalog, under a millisecond, and needs no grant. The error is a sentence that names what is missing and what to run; or that
// of the query.
func Ready(ctx context.Context, db Querier) error {
	var relations, columns []string
	for _, v := range append([]View{{table, Columns()}}, Views()...) {
		for _, c := range v.Columns {
			relations, columns = append(relations, v.Name), append(columns, c.Name)
		}
	}
	var missing []string
	err := db.QueryRow(ctx, text("ready.sql"), relations, columns, []string{sweepIndex, fastIndex}).Scan(&missing)
	if err != nil {
		return fmt.Errorf("look at the schema: %w", err)
	}
	if len(missing) > 0 {
		return fmt.Errorf("the database lacks %s: %s", strings.Join(missing, ", "), remedy)
	}
	return nil
}
