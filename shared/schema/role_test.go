package schema

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/balance-sync/balance-sync/devkit/pgdev"
)

// enacted is a migrated database with rows, its owner's connection, and one for each of our roles. migrate runs before the grants.
type enacted struct {
	url, prefix string
	owner       *pgx.Conn
	as          map[string]*pgx.Conn
}

// enact makes the roles in a database and grants.
func enact(t *testing.T, url string, own bool) enacted {
	t.Helper()
	e := enacted{url: url, prefix: pgdev.RolePrefix(t, url), owner: connect(t, url, nil), as: map[string]*pgx.Conn{}}
	do(t, e.owner, RolesSQL(RoleOptions{Prefix: e.prefix, Own: own}))
	up(t, e.owner, Options{})
	granted, err := Grant(t.Context(), e.owner, e.prefix)
	if err != nil || len(granted) != 3 {
		t.Fatalf("granted to %v: %v", granted, err)
	}
	for _, r := range Roles() {
		e.as[r.Name] = connect(t, pgdev.As(t, url, e.prefix+r.Name, ""), nil)
	}
	return e
}

// refused reports the SQLSTATE of a statement, "" for none.
func state(ctx context.Context, conn *pgx.Conn, sql string) (string, error) {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return "", err
	}
	_, err = tx.Exec(ctx, sql)
	code := ""
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		code, err = pg.Code, nil
	}
	return code, errors.Join(err, tx.Rollback(ctx))
}

const others = `CREATE TABLE payouts (id int); CREATE TABLE users (email text);`

func TestEachRoleIsRefusedWhatItDoesNotNeed(t *testing.T) {
	e := enact(t, database(t, existing()+others), true)
	const denied = "42501"
	every := []string{Claimer, Writer, Reader}
	tests := []struct {
		what  string
		roles []string
		sql   string
	}{
		{"write a balance", []string{Claimer, Reader}, `UPDATE wallet_balances SET on_chain_balance_raw = '1'`},
		{"write a balance for people", []string{Claimer, Reader}, `UPDATE wallet_balances SET on_chain_balance_human = 1`},
		{"move a height", []string{Claimer, Reader}, `UPDATE wallet_balances SET observed_height = 1`},
		{"open an epoch", []string{Claimer, Reader}, `UPDATE wallet_balances SET observed_epoch = 9`},
		{"say who saw it", []string{Claimer, Reader}, `UPDATE wallet_balances SET observed_by = 'me'`},
		{"count a success", []string{Claimer, Reader}, `UPDATE wallet_balances SET sync_count = 0`},
		{"read a balance", []string{Claimer}, `SELECT on_chain_balance_raw FROM wallet_balances`},
		{"read a whole row", []string{Claimer, Writer, Reader}, `SELECT * FROM wallet_balances`},
		{"give a row to another chain", []string{Writer, Reader}, `UPDATE wallet_balances SET chain_id = gen_random_uuid()`},
		{"ask for a row now", []string{Writer, Reader}, `UPDATE wallet_balances SET priority = 2`},
		{"take a lease", []string{Reader}, `UPDATE wallet_balances SET processing_status = 'processing'`},
		{"free a lease", []string{Reader}, `UPDATE wallet_balances SET locked_by = NULL`},
		{"make a row due", []string{Reader}, `UPDATE wallet_balances SET due_at = now()`},
		{"lock a row", []string{Reader}, `SELECT id FROM wallet_balances FOR UPDATE`},
		{"give a balance to another wallet", every, `UPDATE wallet_balances SET wallet_id = gen_random_uuid()`},
		{"give a balance to another asset", every, `UPDATE wallet_balances SET asset_on_chain_id = gen_random_uuid()`},
		{"change a row's id", every, `UPDATE wallet_balances SET id = gen_random_uuid()`},
		{"date a row", every, `UPDATE wallet_balances SET created_at = now()`},
		{"add a row", every, `INSERT INTO wallet_balances (wallet_id) VALUES (NULL)`},
		{"delete a row", every, `DELETE FROM wallet_balances`},
		{"empty the table", every, `TRUNCATE wallet_balances`},
		{"change the table", every, `ALTER TABLE wallet_balances ADD COLUMN mine int`},
		{"drop the table", every, `DROP TABLE wallet_balances`},
		{"switch a trigger off", every, `ALTER TABLE wallet_balances DISABLE TRIGGER balance_sync_target`},
		{"refer to the table", every, `CREATE TABLE public.spy (id uuid REFERENCES wallet_balances)`},
		{"read the chains' table", every, `SELECT * FROM chains`},
		{"read the assets' table", every, `SELECT * FROM asset_on_chain`},
		{"read the wallets' table", every, `SELECT * FROM wallets`},
		{"read another's table", every, `SELECT * FROM users`},
		{"write another's table", every, `INSERT INTO payouts VALUES (1)`},
		{"read addresses", []string{Writer}, `SELECT * FROM balance_sync_addresses`},
		{"write a view", every, `UPDATE balance_sync_assets SET decimals = 0`},
		{"replace a view", every, `CREATE OR REPLACE VIEW balance_sync_assets AS SELECT * FROM balance_sync_assets`},
		{"read the migrations", []string{Claimer, Writer}, `SELECT * FROM balance_sync_migrations`},
		{"write the migrations", every, `DELETE FROM balance_sync_migrations`},
		{"make a table", every, `CREATE TABLE public.mine (id int)`},
		{"make a function", every, `CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'`},
		{"make a schema", every, `CREATE SCHEMA mine`},
		{"make a temporary table", every, `CREATE TEMPORARY TABLE wallet_balances (id uuid)`},
		{"put a temporary view before ours", every, `CREATE TEMPORARY VIEW balance_sync_assets AS SELECT 1`},
		{"call the trigger's function", every, `CREATE TRIGGER mine BEFORE UPDATE ON wallet_balances FOR EACH ROW EXECUTE FUNCTION balance_sync_row()`},
		{"use the backoff", []string{Reader}, `SELECT balance_sync_backoff(1)`},
		{"make a role", every, `CREATE ROLE mine`},
		{"be the migrator", every, `SET ROLE ` + quoted(e.prefix+Migrator)},
		{"be the superuser", every, `SET SESSION AUTHORIZATION postgres`},
		{"read passwords", every, `SELECT rolpassword FROM pg_authid`},
		{"read the server's files", every, `SELECT pg_read_file('PG_VERSION')`},
		{"run a program", every, `COPY (SELECT 1) TO PROGRAM 'true'`},
		{"make a role, as the migrator", []string{Migrator}, `CREATE ROLE mine`},
		{"read what is not its own, as the migrator", []string{Migrator}, `SELECT * FROM users`},
	}
	cases := 0
	for _, tt := range tests {
		for _, role := range tt.roles {
			cases++
			if code, err := state(t.Context(), e.as[role], tt.sql); err != nil || code != denied {
				t.Errorf("%s may %s: SQLSTATE %q, want %s (%v)", role, tt.what, code, denied, err)
			}
		}
	}
	t.Logf("%d refusals", cases)
	if cases < 120 {
		t.Errorf("%d cases", cases)
	}
	for _, role := range []string{Claimer, Writer, Reader} {
		if err := Allowed(t.Context(), e.as[role], role); err != nil {
			t.Errorf("%s: %v", role, err)
		}
		if err := Ready(t.Context(), e.as[role]); err != nil {
			t.Errorf("%s does not see that the schema is ready: %v", role, err)
		}
	}
	for _, sql := range []string{`SELECT id, on_chain_balance_raw, last_error FROM wallet_balances`, `SELECT * FROM balance_sync_addresses`, `SELECT * FROM balance_sync_migrations`} {
		if code, err := state(t.Context(), e.as[Reader], sql); err != nil || code != "" {
			t.Errorf("the reader: %s: %s %v", sql, code, err)
		}
	}
	if findings, err := Check(t.Context(), e.as[Reader]); err != nil {
		t.Errorf("the reader cannot check the schema: %v, %v", findings, err)
	}
}

// Where temporary tables are everybody's right, as Postgres ships, a view in front of ours must still not be found.
func TestATemporaryViewDoesNotStandBeforeOurs(t *testing.T) {
	e := enact(t, database(t, existing()), false)
	for _, role := range []string{Claimer, Writer, Reader} {
		conn := e.as[role]
		do(t, conn, `CREATE TEMPORARY VIEW balance_sync_chains AS SELECT gen_random_uuid() AS chain_id, 'mine'::text AS name, true AS active`)
		if got := get[int64](t, conn, `SELECT count(*) FROM balance_sync_chains WHERE name = 'mine'`); got != 0 {
			t.Errorf("%s reads its own view", role)
		}
	}
	// An application that may insert has no right on our views; what the trigger runs with is ours.
	do(t, e.owner, `CREATE ROLE `+e.prefix+`app LOGIN; GRANT INSERT, UPDATE ON wallet_balances TO `+e.prefix+`app`)
	app := connect(t, pgdev.As(t, e.url, e.prefix+"app", ""), nil)
	do(t, app, `CREATE TEMPORARY VIEW balance_sync_assets AS SELECT `+bnb+`::uuid AS asset_on_chain_id, '00000000-0000-0000-0000-00000000beef'::uuid AS chain_id;
		INSERT INTO wallet_balances (wallet_id, asset_on_chain_id) VALUES (gen_random_uuid(), `+bnb+`)`)
	want(t, e.owner, 0, `SELECT count(*) FROM wallet_balances WHERE chain_id = '00000000-0000-0000-0000-00000000beef'`)
}

func TestAMissingRightIsNamedByItsColumn(t *testing.T) {
	e := enact(t, database(t, ""), true)
	for _, tt := range []struct{ role, take, says string }{
		{Claimer, `REVOKE UPDATE (due_at) ON wallet_balances FROM `, "UPDATE wallet_balances.due_at"},
		{Claimer, `REVOKE SELECT (ctid) ON wallet_balances FROM `, "SELECT wallet_balances.ctid"},
		{Writer, `REVOKE SELECT (decimals) ON balance_sync_assets FROM `, "SELECT balance_sync_assets.decimals"},
		{Writer, `REVOKE EXECUTE ON FUNCTION balance_sync_backoff(integer) FROM `, "EXECUTE balance_sync_backoff(integer)"},
	} {
		do(t, e.owner, tt.take+quoted(e.prefix+tt.role))
		err := Allowed(t.Context(), e.as[tt.role], tt.role)
		if !errors.Is(err, ErrNotAllowed) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), e.prefix+tt.role) {
			t.Errorf("%s%s: %v, want it to name %s", tt.take, tt.role, err, tt.says)
		}
		if _, err := Grant(t.Context(), e.owner, e.prefix); err != nil {
			t.Fatal(err)
		}
		if err := Allowed(t.Context(), e.as[tt.role], tt.role); err != nil {
			t.Errorf("granted again: %v", err)
		}
	}
	do(t, e.owner, `REVOKE ALL ON wallet_balances FROM `+quoted(e.prefix+Writer))
	if err := Allowed(t.Context(), e.as[Writer], Writer); err == nil || !strings.Contains(err.Error(), "more: run `balsync migrate grants`") {
		t.Errorf("all rights gone: %v", err)
	}
}

func TestGrantsComeBackAfterAViewIsMadeAnewAndTooManyGo(t *testing.T) {
	e := enact(t, database(t, ""), true)
	claimer := quoted(e.prefix + Claimer)
	do(t, e.owner, `DROP VIEW balance_sync_addresses; `+text("0004_addresses_view.sql"))
	do(t, e.owner, `GRANT UPDATE (on_chain_balance_raw), SELECT ON wallet_balances TO `+claimer)
	if err := Allowed(t.Context(), e.as[Claimer], Claimer); err == nil || !strings.Contains(err.Error(), "balance_sync_addresses") {
		t.Errorf("a view without grants: %v", err)
	}
	for range 2 {
		if _, err := Grant(t.Context(), e.owner, e.prefix); err != nil {
			t.Fatal(err)
		}
	}
	if err := Allowed(t.Context(), e.as[Claimer], Claimer); err != nil {
		t.Errorf("granted again: %v", err)
	}
	for _, sql := range []string{`UPDATE wallet_balances SET on_chain_balance_raw = '1'`, `SELECT created_at FROM wallet_balances`} {
		if code, err := state(t.Context(), e.as[Claimer], sql); err != nil || code != "42501" {
			t.Errorf("a right that was given by hand is still there: %s: %q %v", sql, code, err)
		}
	}
	// CREATE OR REPLACE keeps them.
	do(t, e.owner, strings.Replace(text("0004_addresses_view.sql"), "CREATE VIEW", "CREATE OR REPLACE VIEW", 1))
	if err := Allowed(t.Context(), e.as[Claimer], Claimer); err != nil {
		t.Errorf("a view that was replaced: %v", err)
	}
	if granted, err := Grant(t.Context(), e.owner, e.prefix+"nobody_"); err != nil || len(granted) != 0 {
		t.Errorf("roles that do not exist: %v, %v", granted, err)
	}
}

// ALTER TABLE, CREATE INDEX and GRANT take the table's owner or a member of it; the rest takes CREATE on the schema.
func TestTheMigratorMigratesATableOfAnothersAsAMemberOfItsOwner(t *testing.T) {
	for _, online := range []bool{false, true} {
		url := database(t, existing())
		admin := connect(t, url, nil)
		prefix := pgdev.RolePrefix(t, url)
		app, migrator := quoted(prefix+"app"), quoted(prefix+Migrator)
		do(t, admin, `CREATE ROLE `+app+`; ALTER TABLE wallet_balances OWNER TO `+app+`; ALTER TABLE chains OWNER TO `+app+`;
			ALTER TABLE asset_on_chain OWNER TO `+app+`; ALTER TABLE wallets OWNER TO `+app+`;`)
		do(t, admin, RolesSQL(RoleOptions{Prefix: prefix}))
		conn := connect(t, pgdev.As(t, url, prefix+Migrator, ""), nil)
		// Reading for the views, and making triggers, can be granted. Changing the table cannot.
		do(t, admin, `GRANT SELECT ON chains, asset_on_chain, wallets TO `+migrator+`; GRANT SELECT, UPDATE, TRIGGER ON wallet_balances TO `+migrator)
		if _, err := Up(t.Context(), conn, Options{Online: online}); err == nil || !strings.Contains(err.Error(), "must be owner of table wallet_balances") {
			t.Fatalf("without ownership: %v", err)
		}
		do(t, admin, `GRANT `+app+` TO `+migrator)
		up(t, conn, Options{Online: online})
		if granted, err := Grant(t.Context(), conn, prefix); err != nil || len(granted) != 3 {
			t.Fatalf("%v, %v", granted, err)
		}
		// The membership is for the migration alone: views and trigger are the migrator's, and read with its own rights.
		do(t, admin, `REVOKE `+app+` FROM `+migrator)
		want(t, admin, 1, `SELECT count(*) FROM pg_tables WHERE tablename = 'wallet_balances' AND tableowner = '`+prefix+`app'`)
		do(t, admin, `SET ROLE `+app+`; INSERT INTO wallet_balances (wallet_id, asset_on_chain_id) VALUES (gen_random_uuid(), `+bnb+`); RESET ROLE`)
		want(t, admin, 1, `SELECT count(*) FROM wallet_balances WHERE chain_id = `+bsc+` AND priority = 1`)
		claimer := connect(t, pgdev.As(t, url, prefix+Claimer, ""), nil)
		if err := Allowed(t.Context(), claimer, Claimer); err != nil {
			t.Error(err)
		}
		want(t, claimer, 2, `SELECT count(*) FROM balance_sync_assets`)
		if _, err := conn.Exec(t.Context(), `ALTER TABLE wallet_balances ADD COLUMN more int`); err == nil {
			t.Error("the migrator still changes the table")
		}
	}
}

func TestRolesHaveTheirLimits(t *testing.T) {
	e := enact(t, database(t, ""), true)
	sum := 0
	for _, r := range Roles() {
		sum += r.Connections
		for setting, d := range map[string]int64{"statement_timeout": r.Statement.Milliseconds(), "lock_timeout": r.Lock.Milliseconds(), "idle_in_transaction_session_timeout": r.Idle.Milliseconds()} {
			if got := get[int64](t, e.as[r.Name], `SELECT setting::bigint FROM pg_settings WHERE name = $1`, setting); got != d {
				t.Errorf("%s has %s %d ms, want %d", r.Name, setting, got, d)
			}
		}
		if path := get[string](t, e.as[r.Name], `SHOW search_path`); path != "public, pg_temp" && path != `"public", pg_temp` {
			t.Errorf("%s has the search_path %s", r.Name, path)
		}
		if got := get[int32](t, e.owner, `SELECT rolconnlimit FROM pg_roles WHERE rolname = $1 AND rolcanlogin AND NOT rolsuper AND NOT rolcreaterole AND NOT rolcreatedb AND NOT rolbypassrls`, e.prefix+r.Name); int(got) != r.Connections {
			t.Errorf("%s may have %d connections, want %d", r.Name, got, r.Connections)
		}
	}
	if sum > 97 {
		t.Errorf("%d connections together: Postgres ships with 100, three of them for superusers", sum)
	}
	stranger := e.prefix + "stranger"
	do(t, e.owner, `CREATE ROLE `+stranger+` LOGIN`)
	if conn, err := pgx.Connect(t.Context(), pgdev.As(t, e.url, stranger, "")); err == nil {
		t.Error("a role of another's may connect to a database of ours alone")
		_ = conn.Close(t.Context())
	}
}

// deploy/postgres holds what this package renders, so that it can be read and run without our programs.
func TestDeployedRolesAreThese(t *testing.T) {
	for file, sql := range map[string]string{"roles.sql": RolesSQL(RoleOptions{Own: true}), "grants.sql": GrantsSQL(RoleOptions{})} {
		have, err := os.ReadFile("../../deploy/postgres/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(string(have), sql) {
			t.Errorf("deploy/postgres/%s is not what `balsync migrate roles` prints today", file)
		}
	}
}
