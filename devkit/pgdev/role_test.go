package pgdev

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestRolesOfATestAreGoneAfterIt(t *testing.T) {
	at := Database(t, "", nil)
	conn, err := pgx.Connect(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	count := func(prefix string) (n int) {
		t.Helper()
		if err := conn.QueryRow(t.Context(), "select count(*) from pg_roles where starts_with(rolname, $1)", prefix).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	prefix := ""
	t.Run("inner", func(t *testing.T) {
		prefix = RolePrefix(t, at)
		if other := RolePrefix(t, at); other == prefix {
			t.Error("two tests would have the same roles")
		}
		sql := "create role " + prefix + "app login; create table mine (id int); alter table mine owner to " + prefix + "app; grant create on schema public to " + prefix + "app"
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
		user, err := pgx.Connect(t.Context(), As(t, at, prefix+"app", "not-asked-for"))
		if err != nil {
			t.Fatal(err)
		}
		defer user.Close(context.WithoutCancel(t.Context()))
		var name string
		if err := user.QueryRow(t.Context(), "select current_user").Scan(&name); err != nil || name != prefix+"app" {
			t.Errorf("connected as %q, %v", name, err)
		}
		if count(prefix) != 1 {
			t.Error("the role is not there")
		}
	})
	if n := count(prefix); n != 0 {
		t.Errorf("%d roles are left", n)
	}
}
