package main

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/pgdev"
	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { os.Exit(pgdev.Main(m)) }

// outcome is what a run of the command gave.
type outcome struct {
	code           int
	stdout, stderr string
}

// drive runs the command in this process with the given environment and nothing of the machine's own.
func drive(t *testing.T, env map[string]string, args ...string) outcome {
	t.Helper()
	var out, notes bytes.Buffer
	lookup := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
	code := run(args, console{lookup: lookup, out: &out, err: &notes})
	return outcome{code, out.String(), notes.String()}
}

// empty is a database without any table, on the server of the test run.
func empty(t *testing.T) string {
	t.Helper()
	return pgdev.Database(t, "", nil)
}

// ours is the environment of a run on a database of its own, with a role for each service.
func ours(t *testing.T) map[string]string {
	t.Helper()
	url := empty(t)
	return map[string]string{"DATABASE_URL": url, "BALSYNC_DEV_ROLES": pgdev.RolePrefix(t, url)}
}

// migrated is a database that has the tables already.
func migrated(t *testing.T) string {
	t.Helper()
	return pgdev.Database(t, "schema-"+schema.Fingerprint(), func(ctx context.Context, url string) error {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		_, err = schema.Up(ctx, conn, schema.Options{})
		_ = conn.Close(ctx) // the template is only used once it is closed; an error here shows when it is cloned
		return err
	})
}
