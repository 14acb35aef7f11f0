package writer

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// IsData says that Postgres refused an apply for what is in one of its rows: a value out of the column's range, a constraint or a trigger of the
// table's owner. Then, and only then, the rest can be saved by applying the rows apart. Everything else (a lock, a
// deadlock, a shutdown, a broken connection, a permission, a full disk) is no row's fault and passes, or is cured, for all rows together.
func IsData(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || len(pg.Code) != 5 {
		return false
	}
	// The classes of Postgres's appendix A.
	switch pg.Code[:2] {
	case "21", "22", "23", "44": // cardinality, data exception, integrity constraint, check option of a view
		return true
	case "09", "27", "38", "39", "P0": // the owner's trigger: its action, its data change, its routine, RAISE EXCEPTION
		return true
	case "54": // a limit that the row exceeds, such as the size of an index entry
		return true
	}
	return pg.Code == "XX001" // the row on disk is corrupt: its neighbours are not
}

// reason names an error for a metric: the class of its SQLSTATE, or "connection".
func reason(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && len(pg.Code) == 5 {
		return pg.Code[:2]
	}
	return "connection"
}
