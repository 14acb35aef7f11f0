package schema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// observed is a row in the midst of its life: read, failed since, leased. It returns the row's id in quotes.
func observed(t *testing.T, conn *pgx.Conn) string {
	t.Helper()
	return "'" + get[string](t, conn, `
		UPDATE wallet_balances SET on_chain_balance_raw = '5', on_chain_balance_human = 5, last_checked = now(), last_error = 'reverted',
		       last_error_at = now(), error_count = 3, observed_epoch = 4, observed_height = 100, observed_at = now(), observed_by = 'node-a',
		       due_at = 'infinity', priority = 0, processing_status = 'processing', locked_by = 'balsync:a:1', locked_until = 'infinity'
		 WHERE id = (SELECT id FROM wallet_balances WHERE asset_on_chain_id = `+bnb+` LIMIT 1) RETURNING id::text`) + "'"
}

func TestRowThatChangesWhoseItIsForgetsTheBalance(t *testing.T) {
	for change, chain := range map[string]string{
		`wallet_id = gen_random_uuid()`:                 bsc,
		`wallet_id = NULL`:                              bsc,
		`wallet_id = NULL, asset_on_chain_id = ` + usdt: polygon,
		`chain_id = ` + polygon:                         bsc, // nobody but the asset says which chain it is
		`asset_on_chain_id = NULL`:                      `NULL`,
		`wallet_id = NULL, priority = 2`:                bsc,
		`wallet_id = NULL, observed_epoch=9`:            bsc,
	} {
		conn := migrated(t, existing())
		id := observed(t, conn)
		do(t, conn, `UPDATE wallet_balances SET `+change+` WHERE id = `+id)
		priority := 1
		if strings.Contains(change, "priority") {
			priority = 2
		}
		forgotten := fmt.Sprintf(`SELECT count(*) FROM wallet_balances WHERE id = %s
			AND on_chain_balance_raw IS NULL AND on_chain_balance_human IS NULL AND last_checked IS NULL AND last_error IS NULL
			AND last_error_at IS NULL AND error_count = 0 AND observed_height IS NULL AND observed_at IS NULL AND observed_by IS NULL
			AND observed_epoch = 5 AND due_at = '-infinity' AND priority = %d AND chain_id IS NOT DISTINCT FROM %s::uuid`, id, priority, chain)
		if get[int64](t, conn, forgotten) != 1 {
			t.Errorf("%s: the row is %s", change, get[string](t, conn, `SELECT w::text FROM wallet_balances w WHERE id = `+id))
		}
		// The lease is not the trigger's: whoever holds it gives it back.
		want(t, conn, 1, `SELECT count(*) FROM wallet_balances WHERE locked_by = 'balsync:a:1' AND processing_status = 'processing'`)
	}
}

func TestUpdateThatChangesNothingOfWhoseItIsKeepsTheBalance(t *testing.T) {
	conn := migrated(t, existing())
	id := observed(t, conn)
	var moves []string
	for _, c := range Columns() {
		if c.Moves {
			moves = append(moves, c.Name+" = "+c.Name)
		}
	}
	for _, set := range []string{
		strings.Join(moves, ", "),
		`wallet_id = wallet_id, asset_on_chain_id = asset_on_chain_id, chain_id = chain_id`,
	} {
		do(t, conn, `UPDATE wallet_balances SET `+set+` WHERE id = `+id)
		want(t, conn, 1, `SELECT count(*) FROM wallet_balances WHERE observed_epoch = 4 AND on_chain_balance_raw = '5' AND observed_height = 100 AND id = `+id)
	}
}

func TestRowThatGetsItsFirstChainKeepsItsEpoch(t *testing.T) {
	conn := migrated(t, existing())
	do(t, conn, `INSERT INTO asset_on_chain (id, chain_id) SELECT asset_on_chain_id, `+bsc+` FROM wallet_balances WHERE chain_id IS NULL AND asset_on_chain_id IS NOT NULL`)
	do(t, conn, `UPDATE wallet_balances w SET chain_id = a.chain_id FROM balance_sync_assets a WHERE w.chain_id IS NULL AND a.asset_on_chain_id = w.asset_on_chain_id`)
	want(t, conn, 1, `SELECT count(*) FROM wallet_balances WHERE chain_id IS NULL`)
	want(t, conn, 0, `SELECT count(*) FROM wallet_balances WHERE observed_epoch <> 0`)
}

func TestTemporaryViewInFrontOfOursIsNotAsked(t *testing.T) {
	conn := migrated(t, existing())
	app := role(t, conn)
	do(t, conn, `GRANT INSERT ON wallet_balances TO `+app)
	do(t, conn, `SET ROLE `+app)
	do(t, conn, `CREATE TEMP TABLE balance_sync_assets (asset_on_chain_id uuid, chain_id uuid)`)
	do(t, conn, `INSERT INTO balance_sync_assets VALUES (`+bnb+`, `+polygon+`)`)
	do(t, conn, `INSERT INTO wallet_balances (wallet_id, asset_on_chain_id) VALUES (gen_random_uuid(), `+bnb+`)`)
	do(t, conn, `RESET ROLE`)
	want(t, conn, 1, `SELECT count(*) FROM wallet_balances WHERE priority = 1 AND chain_id = `+bsc)
}

func TestAssetThatAViewHasTwiceRefusesNoInsert(t *testing.T) {
	conn := migrated(t, existing())
	do(t, conn, `CREATE OR REPLACE VIEW balance_sync_assets AS
		SELECT id AS asset_on_chain_id, chain_id, contract_address::text, decimals::integer, is_native FROM asset_on_chain, generate_series(1, 2)`)
	do(t, conn, `INSERT INTO wallet_balances (wallet_id, asset_on_chain_id) VALUES (gen_random_uuid(), `+bnb+`)`)
	want(t, conn, 1, `SELECT count(*) FROM wallet_balances WHERE priority = 1 AND chain_id = `+bsc)
}

func TestTheApplicationNeedsNoRightOnOurViews(t *testing.T) {
	conn := migrated(t, existing())
	app := role(t, conn)
	do(t, conn, `GRANT INSERT, UPDATE, SELECT ON wallet_balances TO `+app)
	do(t, conn, `SET ROLE `+app)
	do(t, conn, `INSERT INTO wallet_balances (wallet_id, asset_on_chain_id) VALUES (gen_random_uuid(), `+bnb+`)`)
	do(t, conn, `UPDATE wallet_balances SET asset_on_chain_id = `+usdt+` WHERE priority = 1`)
	do(t, conn, `RESET ROLE`)
	want(t, conn, 1, `SELECT count(*) FROM wallet_balances WHERE priority = 1 AND observed_epoch = 1 AND chain_id = `+polygon)
}

func TestNobodyElseMayPutOurTriggerOnATableOfTheirs(t *testing.T) {
	conn := migrated(t, existing())
	if get[bool](t, conn, `SELECT has_function_privilege($1::name, 'balance_sync_row()', 'EXECUTE')`, role(t, conn)) {
		t.Error("a role without any right may use the function, which runs with its owner's rights")
	}
}
