package schema

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// catalog is everything about the schema public that a migration could have made differently, a line each: columns, constraints,
// indexes, triggers, functions, views, sequences and storage options, and what is recorded.
func catalog(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), `
		WITH rel AS (SELECT c.* FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace)
		SELECT 'column ' || r.relname || ' ' || a.attnum || ' ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
		       || ' not null ' || a.attnotnull || ' identity ' || a.attidentity::text || ' default ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
		  FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
		 WHERE a.attnum > 0 AND r.relkind IN ('r', 'v')
		UNION ALL SELECT 'relation ' || relkind::text || ' ' || relname || ' ' || coalesce(reloptions::text, '') FROM rel
		UNION ALL SELECT 'constraint ' || conname || ' ' || convalidated || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
		UNION ALL SELECT 'index ' || indisvalid || ' ' || pg_get_indexdef(indexrelid) FROM pg_index JOIN rel ON rel.oid = indexrelid
		UNION ALL SELECT 'trigger ' || tgenabled::text || ' ' || pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN rel ON rel.oid = tgrelid WHERE NOT tgisinternal
		UNION ALL SELECT 'function ' || pg_get_functiondef(oid) || coalesce(proacl::text, '') FROM pg_proc WHERE pronamespace = 'public'::regnamespace
		UNION ALL SELECT 'view ' || relname || pg_get_viewdef(oid) FROM rel WHERE relkind = 'v'
		UNION ALL SELECT 'sequence ' || relname || (s.seqtypid, s.seqstart, s.seqincrement, s.seqmax, s.seqmin, s.seqcache, s.seqcycle)::text
		  FROM rel JOIN pg_sequence s ON s.seqrelid = rel.oid
		UNION ALL SELECT 'applied ' || version || ' ' || name || ' ' || checksum FROM balance_sync_migrations
		ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// complete fails unless the schema is that of the plain way and every row of the existing table has its place and its chain.
func complete(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	if diff := cmp.Diff(catalog(t, migrated(t, existing())), catalog(t, conn)); diff != "" {
		t.Errorf("the schema is not that of one plain Up (-want +got):\n%s", diff)
	}
	want(t, conn, 0, `SELECT count(*) FROM wallet_balances WHERE sweep_seq < 1`)
	want(t, conn, 0, `SELECT count(*) - count(DISTINCT sweep_seq) FROM wallet_balances`)
	want(t, conn, 0, `SELECT count(*) FROM wallet_balances w JOIN asset_on_chain a ON a.id = w.asset_on_chain_id WHERE w.chain_id IS DISTINCT FROM a.chain_id`)
	want(t, conn, 2, `SELECT count(*) FROM wallet_balances WHERE chain_id IS NULL`)
	do(t, conn, `INSERT INTO wallet_balances (asset_on_chain_id) VALUES (`+bnb+`)`)
	want(t, conn, 1, `SELECT count(*) FROM wallet_balances WHERE sweep_seq = (SELECT max(sweep_seq) FROM wallet_balances) AND wallet_id IS NULL AND priority = 1`)
}
