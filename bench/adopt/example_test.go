package adopt

import (
	"context"
	_ "embed"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/pgdev"
	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { os.Exit(pgdev.Main(m)) }

//go:embed wallets.fill.sql
var walletsFill string

//go:embed address-tables.fill.sql
var addressTablesFill string

//go:embed audit.sql
var auditSQL string

// example is a directory of deploy/adopt with rows for it.
type example struct {
	name        string
	fill        string
	viewsBefore bool   // views.sql is run before the migration: it cannot do without
	bookkeeping string // what the application does to a row beside using its mutex
}

// rows is how many of them every example has; bscRows are on the one chain that is rolled out first.
const (
	rows    = 100_000
	bscRows = 20_000
	bsc     = "00000000-0000-0000-0000-0000000000c1"
)

var (
	wallets       = example{name: "wallets", fill: walletsFill, bookkeeping: "updated_at = now()"}
	addressTables = example{name: "address-tables", fill: addressTablesFill, viewsBefore: true, bookkeeping: "reserved_amount = reserved_amount + 1"}
)

// file is one of the example's files.
func (e example) file(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "adopt", e.name, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// existing is the application's database with its rows, before anything of ours is in it but the views that it makes first.
func (e example) existing(t testing.TB) string {
	t.Helper()
	return e.database(t, e.file(t, "schema.sql"), e.fill)
}

// empty is the same without rows.
func (e example) empty(t testing.TB) string {
	t.Helper()
	return e.database(t, e.file(t, "schema.sql"))
}

// adopted is the database after the migration and views.sql.
func (e example) adopted(t testing.TB, online bool) string {
	t.Helper()
	url := e.existing(t)
	conn := connect(t, url, "balsync")
	if _, err := schema.Up(t.Context(), conn, schema.Options{Online: online}); err != nil {
		t.Fatal(err)
	}
	if err := replace(t.Context(), conn, e.file(t, "views.sql")); err != nil {
		t.Fatal(err)
	}
	return url
}

// replace runs a file of views in one transaction, as the document says: nobody sees one of them without the others.
func replace(ctx context.Context, conn *pgx.Conn, sql string) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql)
		return err
	})
}

// database is the URL of a database of the test's own, as the statements make it.
func (e example) database(t testing.TB, statements ...string) string {
	t.Helper()
	if e.viewsBefore {
		statements = append(statements, e.file(t, "views.sql"))
	}
	statements = append(statements, "ANALYZE")
	return pgdev.Database(t, "adopt "+strings.Join(statements, ""), func(ctx context.Context, url string) error {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		for _, sql := range statements {
			if err == nil {
				_, err = conn.Exec(ctx, sql)
			}
		}
		return errors.Join(err, conn.Close(ctx))
	})
}

// connect is a connection of its own, closed with the test. application is who it is in the audit.
func connect(t testing.TB, url, application string) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["application_name"] = application
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // the server is stopped soon after
	return conn
}

func do(t testing.TB, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// get is the one value that a query answers.
func get[T any](t testing.TB, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	var v T
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// none fails unless a count is 0.
func none(t testing.TB, conn *pgx.Conn, what, sql string, args ...any) {
	t.Helper()
	if n := get[int64](t, conn, sql, args...); n != 0 {
		t.Errorf("%d %s", n, what)
	}
}
