package pgdev

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// RolePrefix is a beginning for the names of roles of this test's own, made by the test. Roles belong to the whole server, so those
// that begin with it are dropped at cleanup, with what they own and may do in the database of the URL.
func RolePrefix(t testing.TB, at string) string {
	t.Helper()
	prefix := "t_" + strings.ToLower(rand.Text()[:12]) + "_"
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), dropWithin)
		defer cancel()
		if err := dropRoles(ctx, at, prefix); err != nil {
			t.Errorf("drop test roles: %v", err)
		}
	})
	return prefix
}

func dropRoles(ctx context.Context, at, prefix string) error {
	conn, err := pgx.Connect(ctx, at)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }() // its work is done or undone by now
	rows, err := conn.Query(ctx, "select rolname::text from pg_roles where starts_with(rolname, $1)", prefix)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := conn.Exec(ctx, "drop owned by "+quote(name)+" cascade; drop role "+quote(name)); err != nil {
			return err
		}
	}
	return nil
}

// As is the URL with another user and a password, which a private server does not ask for.
func As(t testing.TB, at, user, password string) string {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(user, password)
	return u.String()
}
