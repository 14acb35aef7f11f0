package pgdev

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// within is what one test may take against the server.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(within(t), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func scan[T any](t *testing.T, conn *pgx.Conn, query string, args ...any) (v T) {
	t.Helper()
	if err := conn.QueryRow(within(t), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// fruit is a template of one row.
func fruit(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "create table fruit as select 'fig' as name")
	return errors.Join(err, conn.Close(ctx))
}

// unique names a template that no earlier run on the same server has built.
func unique(t *testing.T) string { return t.Name() + time.Now().String() }

func TestDatabaseHoldsWhatItsTemplateHolds(t *testing.T) {
	conn := connect(t, Database(t, unique(t), fruit))
	if got := scan[string](t, conn, "select name from fruit"); got != "fig" {
		t.Errorf("fruit %q, want fig", got)
	}
}

func TestDatabasesOfOneTemplateAreApart(t *testing.T) {
	name := unique(t)
	first, second := connect(t, Database(t, name, fruit)), connect(t, Database(t, name, fruit))
	if _, err := first.Exec(within(t), "delete from fruit"); err != nil {
		t.Fatal(err)
	}
	if got := scan[int](t, second, "select count(*) from fruit"); got != 1 {
		t.Errorf("%d rows in the second database after the first one's were deleted, want 1", got)
	}
}

func TestEmptyTemplateGivesEmptyDatabase(t *testing.T) {
	conn := connect(t, Database(t, "", nil))
	if got := scan[int](t, conn, "select count(*) from pg_tables where schemaname = 'public'"); got != 0 {
		t.Errorf("%d tables, want 0", got)
	}
}

func TestTemplateIsBuiltOnceByManyCallers(t *testing.T) {
	name := unique(t)
	var built atomic.Int32
	build := func(ctx context.Context, url string) error {
		built.Add(1)
		return fruit(ctx, url)
	}
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			db, err := clone(within(t), os.Getenv(TestURL), name, build)
			if err != nil {
				t.Error(err)
				return
			}
			if err := drop(within(t), os.Getenv(TestURL), db); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := built.Load(); got != 1 {
		t.Errorf("built %d times, want 1", got)
	}
}

func TestFailedBuildIsReportedAndTriedAgain(t *testing.T) {
	name, server := unique(t), os.Getenv(TestURL)
	broken := errors.New("migration 3 is broken")
	half := func(ctx context.Context, url string) error { return errors.Join(fruit(ctx, url), broken) }
	if _, err := clone(within(t), server, name, half); !errors.Is(err, broken) {
		t.Fatalf("error %v, want %v", err, broken)
	}
	// What the failed build did is gone: fruit would not create its table a second time.
	conn := connect(t, Database(t, name, fruit))
	if got := scan[string](t, conn, "select name from fruit"); got != "fig" {
		t.Errorf("fruit %q, want fig", got)
	}
}

func TestDatabaseIsDroppedAtCleanupEvenWhileConnected(t *testing.T) {
	var url string
	var left *pgx.Conn
	t.Run("owner", func(t *testing.T) {
		url = Database(t, "", nil)
		var err error
		if left, err = pgx.Connect(t.Context(), url); err != nil {
			t.Fatal(err)
		}
	})
	if err := left.Ping(within(t)); err == nil {
		t.Error("the connection outlived its database")
	}
	name := url[strings.LastIndex(url, "/")+1 : strings.Index(url, "?")]
	conn := connect(t, os.Getenv(TestURL))
	if scan[bool](t, conn, "select exists (select from pg_database where datname = $1)", name) {
		t.Errorf("database %s outlived its test", name)
	}
}

func TestDatabaseURLKeepsTheServersParameters(t *testing.T) {
	got, err := databaseURL("postgres://u:p@h:5/postgres?sslmode=disable&application_name=x", "db")
	if want := "postgres://u:p@h:5/db?sslmode=disable&application_name=x"; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}
