package schema

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/balance-sync/balance-sync/devkit/pgdev"
)

func TestMain(m *testing.M) { os.Exit(pgdev.Main(m)) }

// manyRows fill several batches of an online fill.
const manyRows = 12_000

// existing is an adopter's schema: the seed's tables with rows in every state, of which the last two have no asset that we know.
func existing() string {
	return text("0001_tables.sql") + fmt.Sprintf(`
		INSERT INTO chains (id, name) VALUES (%[2]s, 'BSC'), (%[3]s, 'Polygon');
		INSERT INTO asset_on_chain (id, chain_id, symbol, contract_address, decimals, is_native) VALUES
			(%[4]s, %[2]s, 'BNB', NULL, 18, true), (%[5]s, %[3]s, 'USDT', '0x00', 6, false);
		INSERT INTO wallets (address) SELECT '0x' || i FROM generate_series(1, %[1]d / 2) i;
		INSERT INTO wallet_balances (wallet_id, asset_on_chain_id, on_chain_balance_raw, on_chain_balance_human, processing_status, last_checked)
			SELECT w.id, a.id, '7', 7, 'consolidating', now() FROM wallets w, asset_on_chain a;
		UPDATE wallet_balances SET asset_on_chain_id = gen_random_uuid() WHERE ctid = (SELECT max(ctid) FROM wallet_balances);
		UPDATE wallet_balances SET asset_on_chain_id = NULL WHERE ctid = (SELECT min(ctid) FROM wallet_balances);`,
		manyRows, bsc, polygon, bnb, usdt)
}

const (
	bsc     = `'00000000-0000-0000-0000-0000000000c1'`
	polygon = `'00000000-0000-0000-0000-0000000000c2'`
	bnb     = `'00000000-0000-0000-0000-0000000000a1'`
	usdt    = `'00000000-0000-0000-0000-0000000000a2'`
)

// database is the URL of this test's own database, cloned from what the statements build.
func database(t *testing.T, sql string) string {
	t.Helper()
	template := ""
	if sql != "" {
		template = "schema " + sql
	}
	return pgdev.Database(t, template, func(ctx context.Context, url string) error {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, sql)
		return closed(ctx, conn, err)
	})
}

// closed is err, or that of closing the connection.
func closed(ctx context.Context, conn *pgx.Conn, err error) error {
	if closeErr := conn.Close(ctx); err == nil {
		err = closeErr
	}
	return err
}

// open is a connection to a database of this test's own.
func open(t *testing.T, sql string) *pgx.Conn {
	t.Helper()
	return connect(t, database(t, sql), nil)
}

// migrated is a connection to a database that the plain way has built from the statements.
func migrated(t *testing.T, sql string) *pgx.Conn {
	t.Helper()
	url := pgdev.Database(t, "migrated "+Fingerprint()+sql, func(ctx context.Context, url string) error {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		if _, err = conn.Exec(ctx, sql); err == nil {
			_, err = Up(ctx, conn, Options{})
		}
		return closed(ctx, conn, err)
	})
	return connect(t, url, nil)
}

// connect is a connection of its own, closed with the test.
func connect(t *testing.T, url string, tracer pgx.QueryTracer) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.Tracer = tracer
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// role is a database role without any right, dropped with the test.
func role(t *testing.T, conn *pgx.Conn) string {
	t.Helper()
	name := "schema_test_" + strings.ToLower(rand.Text())
	do(t, conn, `CREATE ROLE `+name)
	t.Cleanup(func() {
		if _, err := conn.Exec(context.Background(), `RESET ROLE; DROP OWNED BY `+name+`; DROP ROLE `+name); err != nil {
			t.Error(err)
		}
	})
	return name
}

func up(t *testing.T, conn *pgx.Conn, opt Options) []Step {
	t.Helper()
	took, err := Up(t.Context(), conn, opt)
	if err != nil {
		t.Fatalf("up: %v", err)
	}
	return took
}

func do(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// get is the one value that a query answers.
func get[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	var v T
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// want fails unless the query answers with this number.
func want(t *testing.T, conn *pgx.Conn, number int64, sql string) {
	t.Helper()
	if got := get[int64](t, conn, sql); got != number {
		t.Errorf("%s: %d, want %d", sql, got, number)
	}
}
