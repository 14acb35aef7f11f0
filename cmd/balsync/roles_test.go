package main

import (
	"context"
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/pgdev"
	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/jackc/pgx/v5"
)

// The whole way of an installation: the administrator makes the roles, the migrator migrates with a password of its own, and that grants.
func TestRolesArePrintedMadeMigratedAndGranted(t *testing.T) {
	url := pgdev.Database(t, "", nil)
	prefix := pgdev.RolePrefix(t, url)
	printed := drive(t, nil, "migrate", "roles", "--roles", prefix, "--own-database")
	if printed.code != 0 {
		t.Fatalf("%+v", printed)
	}
	admin, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(context.WithoutCancel(t.Context()))
	if _, err := admin.Exec(t.Context(), printed.stdout); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"DATABASE_URL": pgdev.As(t, url, prefix+schema.Migrator, key)}
	claimer := func() error {
		conn, err := pgx.Connect(t.Context(), pgdev.As(t, url, prefix+schema.Claimer, key))
		if err != nil {
			return err
		}
		defer conn.Close(context.WithoutCancel(t.Context()))
		return schema.Allowed(t.Context(), conn, schema.Claimer)
	}
	up := drive(t, env, "migrate", "up", "--roles", prefix)
	if up.code != 0 || !strings.Contains(up.stderr, "granted: "+prefix+"claimer") || claimer() != nil {
		t.Errorf("up: %+v, %v", up, claimer())
	}
	if _, err := admin.Exec(t.Context(), "DROP VIEW balance_sync_addresses; SET ROLE "+prefix+"migrator; CREATE VIEW balance_sync_addresses AS SELECT id AS wallet_id, NULL::uuid AS chain_id, address::text, true AS active FROM wallets"); err != nil {
		t.Fatal(err)
	}
	if claimer() == nil {
		t.Error("a view that was made anew is readable before it is granted again")
	}
	if got := drive(t, env, "migrate", "grants", "--roles", prefix, "-o", "json"); got.code != 0 || !strings.Contains(got.stdout, prefix+"writer") || claimer() != nil {
		t.Errorf("grants: %+v, %v", got, claimer())
	}
	if got := drive(t, nil, "migrate", "roles", "--roles", `x"; DROP TABLE y`); got.code != service.ExitUsage {
		t.Errorf("a prefix that is no name: %+v", got)
	}
	for _, args := range [][]string{{"migrate", "up", "--roles", "nobody_"}, {"migrate", "grants", "--roles", "nobody_"}} {
		if got := drive(t, env, args...); got.code != service.ExitFailed || !strings.Contains(got.stderr, "no role nobody_claimer") || !strings.Contains(got.stderr, "balsync migrate roles") {
			t.Errorf("a prefix that no role has, %q: %+v", args, got)
		}
	}
	if got := drive(t, nil, "migrate", "roles", "--grants"); got.code != 0 || !strings.Contains(got.stdout, "GRANT SELECT (ctid") {
		t.Errorf("--grants: %+v", got)
	}
}
