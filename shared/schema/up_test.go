package schema

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestUpOnAnEmptyDatabaseMakesEverythingOnce(t *testing.T) {
	conn := open(t, "")
	if took := up(t, conn, Options{}); len(took) != Version {
		t.Errorf("took %d steps, want %d", len(took), Version)
	}
	before := catalog(t, conn)
	if took := up(t, conn, Options{}); len(took) != 0 {
		t.Errorf("the second time %d steps", len(took))
	}
	if took := up(t, conn, Options{Online: true}); len(took) != 0 {
		t.Errorf("the third time %d steps", len(took))
	}
	if after := catalog(t, conn); strings.Join(before, "\n") != strings.Join(after, "\n") {
		t.Error("a second Up changed the schema")
	}
	if err := Ready(t.Context(), conn); err != nil {
		t.Errorf("not ready: %v", err)
	}
}

func TestUpOnAnExistingTableKeepsItsRowsAndColumns(t *testing.T) {
	conn := open(t, existing())
	before := get[string](t, conn, `SELECT md5(string_agg(w::text, ',' ORDER BY w.id)) FROM wallet_balances w`)
	up(t, conn, Options{})
	after := get[string](t, conn, `SELECT md5(string_agg((w.id, w.wallet_id, w.asset_on_chain_id, w.on_chain_balance_raw, w.on_chain_balance_human,
		w.processing_status, w.locked_until, w.locked_by, w.last_checked, w.last_processed_at, w.last_error, w.last_error_at,
		w.sync_count, w.error_count, w.created_at, w.updated_at)::text, ',' ORDER BY w.id)) FROM wallet_balances w`)
	if before != after {
		t.Error("a column of the seed was changed")
	}
	want(t, conn, manyRows, `SELECT count(*) FROM wallet_balances WHERE priority = 0 AND due_at = '-infinity' AND observed_epoch = 0`)
	complete(t, conn)
}

func TestUpPacksTheTableInTheOrderOfTheSweep(t *testing.T) {
	conn := open(t, existing())
	up(t, conn, Options{})
	want(t, conn, 0, `SELECT count(*) FROM (SELECT sweep_seq < lag(sweep_seq) OVER (ORDER BY ctid) AS back FROM wallet_balances) x WHERE back`)
}

func TestNewRowsStartAtPriorityOne(t *testing.T) {
	conn := migrated(t, existing())
	do(t, conn, `INSERT INTO wallet_balances (wallet_id, asset_on_chain_id) VALUES (gen_random_uuid(), `+usdt+`)`)
	want(t, conn, 1, `SELECT count(*) FROM wallet_balances WHERE priority = 1 AND chain_id = `+polygon)
}

func TestReferenceTablesAreNotMadeBesideAnExistingTable(t *testing.T) {
	conn := open(t, `CREATE TABLE wallet_balances (id int)`)
	if _, err := Up(t.Context(), conn, Options{}); err == nil || !strings.Contains(err.Error(), "no column wallet_id uuid") {
		t.Errorf("a table without our columns: %v", err)
	}
	want(t, conn, 0, `SELECT count(*) FROM pg_class WHERE relname IN ('chains', 'asset_on_chain', 'wallets')`)
	want(t, conn, 0, `SELECT count(*) FROM balance_sync_migrations`)
}

func TestATableThatCannotServeIsRefusedBeforeAnythingIsMade(t *testing.T) {
	for says, change := range map[string]string{
		"column locked_by is character varying(36) and must hold 83 characters: make it text": `ALTER TABLE wallet_balances ALTER locked_by TYPE varchar(36)`,
		"column chain_id text is there already, and balance-sync adds one of that name":       `ALTER TABLE wallet_balances ADD COLUMN chain_id text`,
		"column priority integer is there already":                                            `ALTER TABLE wallet_balances ADD COLUMN priority integer`,
	} {
		conn := open(t, existing())
		do(t, conn, change)
		if _, err := Up(t.Context(), conn, Options{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("up says %v, want that %s", err, says)
		}
		want(t, conn, 0, `SELECT count(*) FROM balance_sync_migrations`)
		want(t, conn, 0, `SELECT count(*) FROM pg_class WHERE relname LIKE 'balance_sync%' AND relkind = 'v'`)
	}
}

func TestMissingDefaultTableNamesTheViewToMake(t *testing.T) {
	conn := open(t, existing()+`ALTER TABLE wallets RENAME TO user_wallet_addresses`)
	_, err := Up(t.Context(), conn, Options{})
	const help = "make the view balance_sync_addresses (wallet_id uuid, chain_id uuid, address text, active boolean) over your own tables"
	if err == nil || !strings.Contains(err.Error(), `relation "wallets" does not exist`) || !strings.Contains(err.Error(), help) {
		t.Fatalf("the error does not help: %v", err)
	}
	do(t, conn, `CREATE VIEW balance_sync_addresses AS SELECT id AS wallet_id, NULL::uuid AS chain_id, address, true AS active FROM user_wallet_addresses`)
	up(t, conn, Options{})
	if def := get[string](t, conn, `SELECT pg_get_viewdef('balance_sync_addresses')`); !strings.Contains(def, "user_wallet_addresses") {
		t.Errorf("the adopter's view was replaced: %s", def)
	}
}

func TestTriggersOfTheAdopterDoNotStopUp(t *testing.T) {
	conn := open(t, existing()+`
		CREATE TABLE audit (at timestamptz DEFAULT now());
		CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit DEFAULT VALUES; RETURN NULL; END $$;
		CREATE CONSTRAINT TRIGGER audit AFTER UPDATE ON wallet_balances DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit()`)
	up(t, conn, Options{})
	want(t, conn, manyRows-2, `SELECT count(*) FROM audit`)
}

func TestViewThatDoesNotSuitIsRefusedBeforeAnythingIsBuiltOnIt(t *testing.T) {
	for name, sql := range map[string]string{
		"column chain_id is integer":  `CREATE VIEW balance_sync_assets AS SELECT id AS asset_on_chain_id, 1 AS chain_id, ''::text AS contract_address, 6 AS decimals, true AS is_native FROM asset_on_chain`,
		"no column is_native boolean": `CREATE VIEW balance_sync_assets AS SELECT id AS asset_on_chain_id, chain_id, ''::text AS contract_address, 6 AS decimals FROM asset_on_chain`,
	} {
		conn := open(t, existing())
		do(t, conn, sql)
		if _, err := Up(t.Context(), conn, Options{}); err == nil || !strings.Contains(err.Error(), "balance_sync_assets does not suit: "+name) {
			t.Errorf("%s: %v", name, err)
		}
		want(t, conn, 2, `SELECT max(version) FROM balance_sync_migrations`)
	}
}

func TestUpWorksInTheSchemaOfTheTable(t *testing.T) {
	conn := open(t, `CREATE SCHEMA "My App"; SET search_path = "My App"; `+existing())
	do(t, conn, `SET search_path = public, "My App"`)
	up(t, conn, Options{Online: true})
	want(t, conn, 0, `SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace`)
	if path := get[string](t, conn, `SELECT proconfig::text FROM pg_proc WHERE proname = 'balance_sync_row'`); path != `{"search_path=\"My App\", pg_temp"}` {
		t.Errorf("the trigger's search_path is %s", path)
	}
	do(t, conn, `SET search_path = pg_catalog`)
	do(t, conn, `INSERT INTO "My App".wallet_balances (asset_on_chain_id) VALUES (`+usdt+`)`)
	want(t, conn, 1, `SELECT count(*) FROM "My App".wallet_balances WHERE priority = 1 AND chain_id = `+polygon)
}

func TestChangedFileIsAnErrorThatNamesIt(t *testing.T) {
	conn := migrated(t, "")
	do(t, conn, `UPDATE balance_sync_migrations SET checksum = 'x' WHERE version = 6`)
	if _, err := Up(t.Context(), conn, Options{}); err == nil || !strings.HasPrefix(err.Error(), "0006_row.sql was changed after it was applied") {
		t.Errorf("up: %v", err)
	}
	list, err := Status(t.Context(), conn)
	if err != nil || !list[5].Changed || list[4].Changed {
		t.Errorf("status: %v, %v", list[5], err)
	}
}

func TestDatabaseAheadOfTheBinaryIsLeftAlone(t *testing.T) {
	conn := migrated(t, "")
	do(t, conn, `INSERT INTO balance_sync_migrations VALUES (99, 'later', now(), 'x')`)
	if _, err := Up(t.Context(), conn, Options{}); err == nil || !strings.Contains(err.Error(), "at step 99") {
		t.Errorf("up: %v", err)
	}
}

func TestUpWorksInEveryQueryModeOfPgx(t *testing.T) {
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		config, err := pgx.ParseConfig(database(t, existing()))
		if err != nil {
			t.Fatal(err)
		}
		config.DefaultQueryExecMode = mode
		conn, err := pgx.ConnectConfig(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		up(t, conn, Options{Online: true})
		if found, err := Check(t.Context(), conn); err != nil || len(found) > 0 {
			t.Errorf("%s: %v, %v", mode, found, err)
		}
		if err := closed(t.Context(), conn, Ready(t.Context(), conn)); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
	}
}

func TestManyUpsAtOnceTakeEachStepOnce(t *testing.T) {
	for _, online := range []bool{false, true} {
		url := database(t, existing())
		var wg sync.WaitGroup
		var mu sync.Mutex // guards took
		took := 0
		for range 4 {
			conn := connect(t, url, nil)
			wg.Go(func() {
				mine, err := Up(t.Context(), conn, Options{Online: online})
				mu.Lock()
				defer mu.Unlock()
				if took += len(mine); err != nil {
					t.Errorf("online %v: %v", online, err)
				}
			})
		}
		wg.Wait()
		if took != Version {
			t.Errorf("online %v: %d steps were taken, want %d", online, took, Version)
		}
		complete(t, connect(t, url, nil))
	}
}

func TestUpWaitsForAnotherAsLongAsItMay(t *testing.T) {
	url := database(t, "")
	other := begin(t, connect(t, url, nil))
	if _, err := other.Exec(t.Context(), `SELECT pg_advisory_xact_lock($1)`, int64(lockKey)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	conn := connect(t, url, nil)
	if _, err := Up(ctx, conn, Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while another is at work: %v", err)
	}
	if err := other.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	up(t, connect(t, url, nil), Options{})
}

func TestUpSaysWhenThereIsNoSchemaToWorkIn(t *testing.T) {
	conn := open(t, "")
	do(t, conn, `SET search_path = nowhere`)
	if _, err := Up(t.Context(), conn, Options{}); err == nil || !strings.Contains(err.Error(), "search_path") {
		t.Errorf("up: %v", err)
	}
}
