package writer

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
)

// maxStatementRows bounds a statement: more rows in one gain nothing and hold their locks longer.
const maxStatementRows = 2000

// split places the rows in statements, to be run in this order, and gives their indexes. Rows keep the order that they came in, which is
// the order of the sweep and so of the disk: no sorting. A row id occurs once in a statement, because of two results for one row
// an UPDATE takes either; the second goes into a later statement.
func split(rows []Row) [][]int {
	var statements [][]int
	next := make(map[uuid.UUID]int, len(rows)) // the first statement that may have the id
	for i, row := range rows {
		at := next[row.ID]
		for at < len(statements) && len(statements[at]) == maxStatementRows {
			at++
		}
		if at == len(statements) {
			statements = append(statements, make([]int, 0, min(len(rows)-i, maxStatementRows)))
		}
		statements[at] = append(statements[at], i)
		next[row.ID] = at + 1
	}
	return statements
}

// columns are the arrays of one statement.
type columns struct {
	ids, wallets, assets            []pgtype.UUID // the driver's own type: any other takes a detour through text
	claims                          []string
	epochs                          []int32
	heights                         []int64
	observed                        []time.Time
	raws, humans, by, errors, kinds []string
}

func newColumns(size int) *columns {
	texts := func() []string { return make([]string, 0, size) }
	ids := func() []pgtype.UUID { return make([]pgtype.UUID, 0, size) }
	return &columns{ids: ids(), claims: texts(), epochs: make([]int32, 0, size), heights: make([]int64, 0, size), observed: make([]time.Time, 0, size),
		raws: texts(), humans: texts(), by: texts(), errors: texts(), kinds: texts(), wallets: ids(), assets: ids()}
}

func (c *columns) add(r Row, human string) {
	c.ids, c.claims, c.epochs = append(c.ids, key(r.ID)), append(c.claims, r.Claim), append(c.epochs, r.Epoch)
	c.heights, c.observed = append(c.heights, r.Height), append(c.observed, r.ObservedAt)
	c.raws, c.humans, c.by = append(c.raws, r.Raw), append(c.humans, human), append(c.by, r.ObservedBy)
	c.errors, c.kinds = append(c.errors, r.Error), append(c.kinds, string(r.Kind))
	c.wallets, c.assets = append(c.wallets, key(r.Wallet)), append(c.assets, key(r.Asset.ID))
}

func key(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }

// arguments are those of apply.sql.
func (c *columns) arguments(chain uuid.UUID, interval time.Duration) []any {
	return []any{chain, interval, c.ids, c.claims, c.epochs, c.heights, c.observed, c.raws, c.humans, c.by, c.errors, c.kinds, c.wallets, c.assets}
}
