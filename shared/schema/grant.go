package schema

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Grant gives our roles what they need, and takes from them what they need no more, in one transaction under the migration lock. It
// is for the owner of the table and views, after every Up, and after a view was dropped and made anew: with it went its grants (CREATE
// OR REPLACE keeps them). Roles that do not exist are passed by; it names those that it granted to.
func Grant(ctx context.Context, conn *pgx.Conn, prefix string) ([]string, error) {
	var granted []string
	r := &run{conn: conn}
	err := r.transact(ctx, func(tx pgx.Tx) error {
		granted = nil
		o := RoleOptions{Prefix: prefix, Schema: r.home}.filled()
		for _, role := range Roles() {
			var there bool
			if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`, o.Prefix+role.Name).Scan(&there); err != nil {
				return fmt.Errorf("look for the role %s: %w", o.Prefix+role.Name, err)
			}
			if !there || role.Owner {
				continue
			}
			if _, err := tx.Exec(ctx, role.grants(o)); err != nil {
				return fmt.Errorf("grant to %s: %w", o.Prefix+role.Name, err)
			}
			granted = append(granted, o.Prefix+role.Name)
		}
		return nil
	})
	return granted, err
}

// ErrNotAllowed is the error of a connection whose role lacks a right.
var ErrNotAllowed = errors.New("run `balsync migrate grants`")

// mostNamed is how many missing rights are named; an operator grants all of them together anyhow.
const mostNamed = 4

// Allowed says by nil that the connection may do all that the role of that name is for. Postgres refuses a statement with the
// table's name and without the column's: this names the columns. It asks the catalog, under a millisecond, and goes by the rights
// alone, so whoever connects may have another name. What does not exist is [Ready]'s to report.
func Allowed(ctx context.Context, db Querier, name string) error {
	role := roleOf(name)
	var relations, columns, rights []string
	for _, right := range role.Rights {
		for _, c := range right.Select {
			relations, columns, rights = append(relations, right.Relation), append(columns, c), append(rights, "SELECT")
		}
		for _, c := range right.Update {
			relations, columns, rights = append(relations, right.Relation), append(columns, c), append(rights, "UPDATE")
		}
	}
	var user string
	var missing []string
	err := db.QueryRow(ctx, text("allowed.sql"), relations, columns, rights, role.Execute).Scan(&user, &missing)
	if err != nil {
		return fmt.Errorf("look at the rights: %w", err)
	}
	if len(missing) == 0 {
		return nil
	}
	list := strings.Join(missing[:min(len(missing), mostNamed)], ", ")
	if more := len(missing) - mostNamed; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Errorf("the database user %s may not %s: %w", user, list, ErrNotAllowed)
}
