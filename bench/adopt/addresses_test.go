package adopt

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// An address of a wallet, in a table of the example: chain is "c1", "c2" or "" for all, active "true", "false" or "null".
type address struct{ table, chain, active, text string }

const (
	user, operation = "user_wallet_addresses", "operation_wallet_addresses"
	on, off, unset  = "true", "false", "null"
)

// addressCases are wallets, each with a row of the native coin on BSC, and what becomes of it: the address that is read, or an error, or neither.
var addressCases = []struct {
	name      string
	addresses []address
	read, err string // with views.sql
	specific  string // the address that is read with specific-first.sql, if another
}{
	{name: "a user's, for all chains", addresses: []address{{user, "", on, "0x01"}}, read: "0x01"},
	{name: "the operator's alone", addresses: []address{{operation, "", on, "0x02"}}, read: "0x02"},
	{name: "the operator's, for the chain", addresses: []address{{operation, "c1", on, "0x03"}}, read: "0x03"},
	{name: "one for each chain", addresses: []address{{user, "c1", on, "0x04"}, {user, "c2", on, "0xff"}}, read: "0x04"},
	{name: "one for each chain, in two tables", addresses: []address{{user, "c2", on, "0xff"}, {operation, "c1", on, "0x05"}}, read: "0x05"},
	{name: "nobody said whether it is active", addresses: []address{{user, "", unset, "0x06"}}, read: "0x06"},
	{name: "an old one and a new one", addresses: []address{{user, "", off, "0xff"}, {user, "", on, "0x07"}}, read: "0x07"},
	{name: "an old one of the user's, a new one of the operator's", addresses: []address{{user, "c1", off, "0xff"}, {operation, "c1", on, "0x08"}}, read: "0x08"},
	{name: "an old one for the chain, one for all", addresses: []address{{user, "c1", off, "0xff"}, {user, "", on, "0x09"}}, read: "0x09"},
	{name: "only an old one", addresses: []address{{user, "", off, "0xff"}}},
	{name: "two old ones", addresses: []address{{user, "c1", off, "0xff"}, {operation, "", off, "0xff"}}},
	{name: "none at all", err: "no_target"},
	{name: "only one for another chain", addresses: []address{{user, "c2", on, "0xff"}}, err: "no_target"},
	{name: "two of the user's", addresses: []address{{user, "c1", on, "0xff"}, {user, "c1", on, "0xfe"}}, err: "ambiguous_address"},
	{name: "the same in both tables", addresses: []address{{user, "", on, "0xff"}, {operation, "", on, "0xff"}}, err: "ambiguous_address"},
	{name: "one for all chains and one for this", addresses: []address{{user, "", on, "0xff"}, {user, "c1", on, "0x10"}}, err: "ambiguous_address", specific: "0x10"},
	{name: "the user's for all chains and the operator's for this", addresses: []address{{user, "", on, "0xff"}, {operation, "c1", on, "0x11"}}, err: "ambiguous_address", specific: "0x11"},
}

// Which address is read, and when none: with the views as they are shipped, and with the other reading of the same tables.
func TestTheAddressOfAWalletIsFoundInEitherTable(t *testing.T) {
	for _, view := range []string{"views.sql", "specific-first.sql"} {
		t.Run(view, func(t *testing.T) {
			url := addressTables.empty(t)
			conn := connect(t, url, "test")
			if _, err := schema.Up(t.Context(), conn, schema.Options{}); err != nil {
				t.Fatal(err)
			}
			if err := replace(t.Context(), conn, addressTables.file(t, view)); err != nil {
				t.Fatal(err)
			}
			do(t, conn, `INSERT INTO chains (id, slug, enabled) VALUES ('`+bsc+`', 'BSC', true), ('00000000-0000-0000-0000-0000000000c2', 'Polygon', true);
				INSERT INTO asset_on_chain (id, chain_id, token_decimals) VALUES ('00000000-0000-0000-0000-0000000000a1', '`+bsc+`', 18)`)
			for i, c := range addressCases {
				for _, a := range c.addresses {
					do(t, conn, fmt.Sprintf(`INSERT INTO %s (wallet_id, chain_id, address, is_active) SELECT md5($1::text)::uuid, (SELECT id FROM chains WHERE id::text LIKE '%%' || nullif($2::text, '')), $3, %s`,
						a.table, a.active), c.name, a.chain, a.text)
				}
				do(t, conn, `INSERT INTO wallet_balances (id, wallet_id, asset_on_chain_id) VALUES (md5($1::text)::uuid, md5($2::text)::uuid, '00000000-0000-0000-0000-0000000000a1')`, fmt.Sprint(i), c.name)
			}
			p := startPipeline(t, itsOwnRole(t, url), 1, time.Hour, newLedger(0))
			wait.For(t, patience, "every row was looked at", func() bool {
				return !get[bool](t, conn, "SELECT EXISTS (SELECT FROM wallet_balances WHERE due_at <= now() OR locked_by IS NOT NULL)")
			})
			p.quiesce(conn)
			for i, c := range addressCases {
				if view == "specific-first.sql" && c.specific != "" {
					c.read, c.err = c.specific, ""
				}
				var raw, lastError *string
				var height *int64
				var failures, minutes int
				err := conn.QueryRow(t.Context(), `SELECT on_chain_balance_raw, observed_height, last_error, error_count, round(extract(epoch FROM due_at - now()) / 60)::int FROM wallet_balances WHERE id = md5($1::text)::uuid`,
					pgx.QueryExecModeExec, fmt.Sprint(i)).Scan(&raw, &height, &lastError, &failures, &minutes)
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case c.read != "":
					if raw == nil || *raw != balance(c.read, "", *height) || lastError != nil || failures != 0 {
						t.Errorf("%s: %v, error %v, want the balance of %s", c.name, deref(raw), deref(lastError), c.read)
					}
				case c.err != "":
					if raw != nil || lastError == nil || *lastError != c.err || failures != 1 {
						t.Errorf("%s: %v, error %v (%d), want %s", c.name, deref(raw), deref(lastError), failures, c.err)
					}
				default: // switched off: put off by five minutes without a fault
					if raw != nil || lastError != nil || failures != 0 || minutes < 4 || minutes > 5 {
						t.Errorf("%s: %v, error %v, due in %d min; want it put off", c.name, deref(raw), deref(lastError), minutes)
					}
				}
			}
		})
	}
}

// The services have rights on the views and none on the tables behind them. A view that is replaced keeps them, so that nothing stops.
func TestReplacingTheViewsKeepsTheirGrantsAndNeedsNoneOnTheTables(t *testing.T) {
	for _, e := range []example{wallets, addressTables} {
		conn := connect(t, e.empty(t), "test")
		if _, err := schema.Up(t.Context(), conn, schema.Options{}); err != nil {
			t.Fatal(err)
		}
		role := "adopt_test_" + strings.ToLower(rand.Text())
		do(t, conn, "CREATE ROLE "+role)
		t.Cleanup(func() {
			if _, err := conn.Exec(context.Background(), "RESET ROLE; DROP OWNED BY "+role+"; DROP ROLE "+role); err != nil {
				t.Error(err)
			}
		})
		do(t, conn, "GRANT SELECT ON balance_sync_chains, balance_sync_assets, balance_sync_addresses TO "+role)
		if err := replace(t.Context(), conn, e.file(t, "views.sql")); err != nil {
			t.Fatal(err)
		}
		do(t, conn, "SET ROLE "+role)
		do(t, conn, "SELECT FROM balance_sync_chains, balance_sync_assets, balance_sync_addresses")
		var pg *pgconn.PgError
		if _, err := conn.Exec(t.Context(), "SELECT FROM chains"); !errors.As(err, &pg) || pg.Code != "42501" {
			t.Errorf("%s: the table behind a view: %v, want that it is denied", e.name, err)
		}
	}
}

func deref(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

// With millions of wallets a claim must be able to look each one up: a view with UNION, or one that has to be made as a whole first, would be
// read from end to end for every claim. Which plan is taken is the planner's; that there is this one is the view's.
func TestTheViewCanBeAskedByTheIndexOfEachTable(t *testing.T) {
	conn := connect(t, addressTables.existing(t), "test")
	do(t, conn, "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_bitmapscan = off")
	for _, view := range []string{"views.sql", "specific-first.sql"} {
		if err := replace(t.Context(), conn, addressTables.file(t, view)); err != nil {
			t.Fatal(err)
		}
		// The join of lease.sql.
		found, err := conn.Query(t.Context(), `EXPLAIN WITH p AS MATERIALIZED (SELECT wallet_id, asset_on_chain_id FROM wallet_balances LIMIT 1000)
			SELECT * FROM p LEFT JOIN balance_sync_assets a ON a.asset_on_chain_id = p.asset_on_chain_id
			LEFT JOIN balance_sync_addresses d ON d.wallet_id = p.wallet_id AND (d.chain_id IS NULL OR d.chain_id = a.chain_id)`)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(found, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		plan := strings.Join(lines, "\n")
		for _, table := range []string{user, operation} {
			if _, after, ok := strings.Cut(plan, "Index Scan using "+table+"_wallet"); !ok || !strings.Contains(after, "Index Cond: (wallet_id = p.wallet_id)") {
				t.Errorf("%s: %s cannot be asked by its index:\n%s", view, table, plan)
			}
		}
	}
}
