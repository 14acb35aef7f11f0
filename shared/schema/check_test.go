package schema

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// objects are what Check finds, those that block with a bang.
func objects(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	found, err := Check(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, f := range found {
		if f.Text == "" {
			t.Errorf("no sentence about %s", f.Object)
		}
		if f.Blocks {
			f.Object += "!"
		}
		list = append(list, f.Object)
	}
	return list
}

func TestCheckFindsWhatIsWrongAndNothingElse(t *testing.T) {
	for sql, want := range map[string][]string{
		``: nil,
		`CREATE INDEX bad ON wallet_balances (last_checked)`:                                                                                               {"index bad"},
		`CREATE INDEX bad ON wallet_balances (wallet_id, updated_at)`:                                                                                      {"index bad"},
		`CREATE INDEX bad ON wallet_balances (wallet_id) WHERE processing_status = 'idle'`:                                                                 {"index bad"},
		`CREATE INDEX bad ON wallet_balances (wallet_id) INCLUDE (due_at)`:                                                                                 {"index bad"},
		`CREATE INDEX bad ON wallet_balances (lower(last_error))`:                                                                                          {"index bad"},
		`ALTER TABLE wallet_balances ADD CONSTRAINT bad UNIQUE (locked_by)`:                                                                                {"index bad"},
		`CREATE INDEX bad ON wallet_balances (chain_id, sweep_seq) WHERE priority > 1`:                                                                     {"index bad"},
		`CREATE INDEX good ON wallet_balances (asset_on_chain_id, created_at) INCLUDE (sweep_seq)`:                                                         nil,
		`CREATE INDEX good ON wallet_balances (lower(wallet_id::text)) WHERE chain_id IS NULL`:                                                             nil,
		`ALTER TABLE wallet_balances ADD CONSTRAINT good UNIQUE (id, wallet_id)`:                                                                           nil,
		`DROP INDEX wallet_balances_wallet_asset`:                                                                                                          {"wallet_balances"},
		`DROP INDEX wallet_balances_wallet_asset; CREATE INDEX other ON wallet_balances (wallet_id, asset_on_chain_id)`:                                    {"wallet_balances"},
		`DROP INDEX wallet_balances_wallet_asset; CREATE UNIQUE INDEX other ON wallet_balances (wallet_id, asset_on_chain_id, chain_id)`:                   {"wallet_balances"},
		`DROP INDEX wallet_balances_wallet_asset; CREATE UNIQUE INDEX other ON wallet_balances (wallet_id, asset_on_chain_id) WHERE wallet_id IS NOT NULL`: {"wallet_balances"},
		`DROP INDEX wallet_balances_wallet_asset; CREATE UNIQUE INDEX other ON wallet_balances (asset_on_chain_id, wallet_id)`:                             nil,
		`DROP INDEX wallet_balances_sweep`:                                                                                                                 {"index wallet_balances_sweep!"},
		`UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'wallet_balances_fast'::regclass`:                                                       {"index wallet_balances_fast!"},
		`ALTER TABLE wallet_balances DROP COLUMN observed_by`:                                                                                              {"wallet_balances.observed_by!"},
		`ALTER TABLE wallet_balances DROP COLUMN locked_by`:                                                                                                {"wallet_balances.locked_by!"},
		`ALTER TABLE wallet_balances ALTER on_chain_balance_raw TYPE numeric USING 0`:                                                                      {"wallet_balances.on_chain_balance_raw!"},
		`ALTER TABLE wallet_balances ALTER on_chain_balance_human TYPE numeric(38,18)`:                                                                     {"wallet_balances.on_chain_balance_human"},
		`ALTER TABLE wallet_balances ALTER locked_by TYPE varchar(36)`:                                                                                     {"wallet_balances.locked_by!"},
		`ALTER TABLE wallet_balances ALTER locked_by TYPE varchar(83), ALTER last_error TYPE varchar(200), ALTER processing_status TYPE varchar(10)`:       nil,
		`ALTER TABLE wallet_balances ALTER last_error TYPE varchar(199), ALTER on_chain_balance_raw TYPE varchar(77)`:                                      {"wallet_balances.on_chain_balance_raw!", "wallet_balances.last_error!"},
		`DROP VIEW balance_sync_chains`:                                                                                                                    {"balance_sync_chains!"},
		`DROP VIEW balance_sync_chains; CREATE VIEW balance_sync_chains AS SELECT id AS chain_id, name FROM chains`:                                        {"balance_sync_chains.active!"},
		`ALTER TABLE wallet_balances DISABLE TRIGGER balance_sync_target`:                                                                                  {"trigger balance_sync_target"},
		`DROP TRIGGER balance_sync_insert ON wallet_balances`:                                                                                              {"trigger balance_sync_insert"},
		`DELETE FROM balance_sync_migrations WHERE version = 11`:                                                                                           {"balance_sync_migrations"},
		`UPDATE balance_sync_migrations SET checksum = 'x' WHERE version = 1`:                                                                              {"balance_sync_migrations"},
	} {
		conn := migrated(t, "")
		do(t, conn, sql)
		if diff := cmp.Diff(want, objects(t, conn)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", sql, diff)
		}
		blocked := slices.ContainsFunc(want, func(s string) bool { return strings.HasSuffix(s, "!") })
		retyped := strings.Contains(sql, " TYPE ") // Ready asks for names, not for types
		if err := Ready(t.Context(), conn); (err != nil) != (blocked && !retyped) {
			t.Errorf("%s: ready: %v", sql, err)
		}
	}
}

func TestReadyNamesWhatIsMissingAndWhatToRun(t *testing.T) {
	conn := open(t, existing())
	err := Ready(t.Context(), conn)
	if err == nil {
		t.Fatal("ready before the first migration")
	}
	for _, part := range []string{"wallet_balances.due_at", "balance_sync_assets,", "wallet_balances_fast", "run `balsync migrate up`"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if err := Ready(t.Context(), open(t, "")); err == nil || !strings.HasPrefix(err.Error(), "the database lacks wallet_balances, balance_sync_chains, ") {
		t.Errorf("an empty database: %v", err)
	}
}

func TestReadyNeedsNoGrant(t *testing.T) {
	conn := migrated(t, "")
	do(t, conn, `SET ROLE `+role(t, conn))
	if err := Ready(t.Context(), conn); err != nil {
		t.Error(err)
	}
}

func TestReadyStaysFalseUntilAnOnlineUpHasEnded(t *testing.T) {
	url := database(t, existing())
	watcher := connect(t, url, nil)
	up(t, connect(t, url, nil), Options{Online: true, Log: func(s Step) {
		if err := Ready(t.Context(), watcher); (err == nil) != (s.Version == Version && !s.Applied.IsZero()) {
			t.Errorf("at step %d %s (applied %v): %v", s.Version, s.Name, s.Applied, err)
		}
	}})
}

func TestPrintNamesLocksAndSizeAndItsTextRuns(t *testing.T) {
	conn := open(t, existing())
	do(t, conn, `ANALYZE wallet_balances`)
	var b strings.Builder
	if err := Print(t.Context(), conn, &b); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"step 7, columns: pending", "lock: ACCESS EXCLUSIVE on wallet_balances while every row is updated", "lock, online: ACCESS EXCLUSIVE on wallet_balances, for a moment",
		"B with its indexes, about 12000 rows", "--   CREATE INDEX CONCURRENTLY wallet_balances_sweep ON",
	} {
		if !strings.Contains(b.String(), part) {
			t.Errorf("not printed: %s", part)
		}
	}
	want(t, conn, 0, `SELECT count(*) FROM pg_class WHERE relname LIKE 'balance_sync%'`)

	byHand, empty := open(t, ""), new(strings.Builder)
	if err := Print(t.Context(), byHand, empty); err != nil || !strings.Contains(empty.String(), "wallet_balances does not exist here") {
		t.Errorf("an empty database: %v", err)
	}
	do(t, byHand, empty.String())
	do(t, byHand, text("migrations.sql")+`INSERT INTO balance_sync_migrations (version, name, checksum) VALUES (0, '', '')`)
	applied := func(line string) bool { return strings.HasPrefix(line, "applied") }
	if diff := cmp.Diff(slices.DeleteFunc(catalog(t, migrated(t, "")), applied), slices.DeleteFunc(catalog(t, byHand), applied)); diff != "" {
		t.Errorf("the printed text makes another schema (-up +printed):\n%s", diff)
	}

	if err := Print(t.Context(), migrated(t, ""), io.Discard); err != nil {
		t.Error(err)
	}
}

func TestStatusTellsWhatIsApplied(t *testing.T) {
	list, err := Status(t.Context(), open(t, existing()))
	if err != nil || len(list) != Version || !list[0].Applied.IsZero() {
		t.Errorf("before: %d steps, %v", len(list), err)
	}
	list, err = Status(t.Context(), migrated(t, existing()))
	if err != nil || slices.ContainsFunc(list, func(s Step) bool { return s.Applied.IsZero() || s.Changed }) {
		t.Errorf("after: %v, %v", list, err)
	}
}
