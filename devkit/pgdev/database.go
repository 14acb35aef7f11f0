package pgdev

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// dropWithin bounds the removal of a test's database; a checkpoint is part of it.
const dropWithin = time.Minute

// Database is the URL of a database of its own for this test, dropped with whatever is still connected at cleanup. It
// is a clone of the template of that name, which build makes on the first call that any process makes on this server;
// build gets the URL of an empty database and must close its connections. If what build makes can change between runs
// against a long-lived server, the name must change with it. The empty name gives an empty database, and build is not
// called. The server is that of Main.
func Database(t testing.TB, template string, build func(ctx context.Context, url string) error) string {
	t.Helper()
	server := os.Getenv(TestURL)
	if server == "" {
		t.Fatalf("%s is not set: this package's TestMain must run pgdev.Main", TestURL)
	}
	name, err := clone(t.Context(), server, template, build)
	if err != nil {
		t.Fatalf("test database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), dropWithin)
		defer cancel()
		if err := drop(ctx, server, name); err != nil {
			t.Errorf("drop test database: %v", err)
		}
	})
	at, err := databaseURL(server, name)
	if err != nil {
		t.Fatalf("test database: %v", err)
	}
	return at
}

// clone makes a database of a new name.
func clone(ctx context.Context, server, template string, build func(context.Context, string) error) (name string, err error) {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()

	source := "template0"
	if template != "" {
		source = templateName(template)
		if err := ensureTemplate(ctx, conn, server, source, build); err != nil {
			return "", fmt.Errorf("template %s: %w", template, err)
		}
	}
	name = "test_" + strings.ToLower(rand.Text())
	return name, create(ctx, conn, name, source)
}

// templateName fits any text into an identifier of 63 bytes.
func templateName(template string) string {
	sum := sha256.Sum256([]byte(template))
	return "template_" + hex.EncodeToString(sum[:16])
}

// lockKey is the advisory lock of one template, taken in the maintenance database, which all processes share.
func lockKey(source string) int64 {
	sum := sha256.Sum256([]byte("balance-sync test template " + source))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// ensureTemplate builds the template if no process has. A database of the name becomes a template only as the last
// step; one that is not is what a builder that crashed left behind, and goes.
func ensureTemplate(ctx context.Context, conn *pgx.Conn, server, source string, build func(context.Context, string) error) (err error) {
	if ok, err := isTemplate(ctx, conn, source); err != nil || ok {
		return err
	}
	if _, err := conn.Exec(ctx, "select pg_advisory_lock($1)", lockKey(source)); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	// The session's end frees the lock too, should this statement not arrive.
	defer func() {
		_, unlockErr := conn.Exec(context.WithoutCancel(ctx), "select pg_advisory_unlock($1)", lockKey(source))
		err = errors.Join(err, unlockErr)
	}()
	if ok, err := isTemplate(ctx, conn, source); err != nil || ok {
		return err
	}
	if _, err := conn.Exec(ctx, "drop database if exists "+quote(source)+" with (force)"); err != nil {
		return fmt.Errorf("drop half-built: %w", err)
	}
	if err := create(ctx, conn, source, "template0"); err != nil {
		return err
	}
	at, err := databaseURL(server, source)
	if err != nil {
		return err
	}
	if err := build(ctx, at); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	// Nobody may connect from here on: a database with a connection cannot be cloned.
	_, err = conn.Exec(ctx, "alter database "+quote(source)+" with is_template true allow_connections false")
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	return nil
}

func isTemplate(ctx context.Context, conn *pgx.Conn, name string) (ok bool, err error) {
	const query = "select exists (select from pg_database where datname = $1 and datistemplate)"
	if err := conn.QueryRow(ctx, query, name).Scan(&ok); err != nil {
		return false, fmt.Errorf("look up: %w", err)
	}
	return ok, nil
}

func create(ctx context.Context, conn *pgx.Conn, name, source string) error {
	if _, err := conn.Exec(ctx, "create database "+quote(name)+" template "+quote(source)); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	return nil
}

func drop(ctx context.Context, server, name string) error {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "drop database if exists "+quote(name)+" with (force)")
	return errors.Join(err, conn.Close(ctx))
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// databaseURL is the server's URL with another database.
func databaseURL(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", fmt.Errorf("parse %s: %w", TestURL, err)
	}
	u.Path = "/" + name
	return u.String(), nil
}
