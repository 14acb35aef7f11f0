package schema_test

import (
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/pgdev"
	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/jackc/pgx/v5"
)

// pgx's default prepares statements under names, which fails behind a pooler that hands each transaction to another server connection.
func TestThePoolPreparesNothingOnTheServer(t *testing.T) {
	url := pgdev.Database(t, "", nil)
	pool, err := schema.OpenPool(secret.New(url), "test", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for range 3 {
		var one int
		if err := pool.QueryRow(t.Context(), "SELECT $1::int", 1).Scan(&one); err != nil || one != 1 {
			t.Fatalf("%d, %v", one, err)
		}
	}
	var prepared int
	var name string
	if err := pool.QueryRow(t.Context(), "SELECT count(*), current_setting('application_name') FROM pg_prepared_statements WHERE name <> ''").Scan(&prepared, &name); err != nil {
		t.Fatal(err)
	}
	if prepared != 0 || name != "test" {
		t.Errorf("%d statements are prepared, the application is %q", prepared, name)
	}
}

func TestTheURLMayChooseHowStatementsAreSent(t *testing.T) {
	url := pgdev.Database(t, "", nil)
	for mode, want := range map[string]pgx.QueryExecMode{"": pgx.QueryExecModeCacheDescribe, "&default_query_exec_mode=cache_statement": pgx.QueryExecModeCacheStatement, "&default_query_exec_mode=exec": pgx.QueryExecModeExec} {
		pool, err := schema.OpenPool(secret.New(url+mode), "test", 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := pool.Config().ConnConfig.DefaultQueryExecMode; got != want {
			t.Errorf("%q: %v, want %v", mode, got, want)
		}
		pool.Close()
	}
}

func TestABadURLIsNotQuoted(t *testing.T) {
	for _, url := range []string{"postgres://u:CANARY0123@h:port/x", "CANARY0123", "postgres://h/x?sslmode=CANARY0123", "%zzCANARY0123"} {
		if _, err := schema.OpenPool(secret.New(url), "test", 1); err != nil && strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%v", err)
		} else if err == nil && strings.HasPrefix(url, "postgres://u") {
			t.Errorf("%s was accepted", url)
		}
	}
}
