package pgdev

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// pid is the server's process behind a connection, and stays the same only as long as the session does.
func pid(t *testing.T, conn *pgx.Conn) (n int) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), "select pg_backend_pid()").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestBouncerSharesSessionsBetweenClients(t *testing.T) {
	through := Pooled(t, Database(t, "", nil), 1) + "&default_query_exec_mode=exec"
	connect := func() *pgx.Conn {
		conn, err := pgx.Connect(t.Context(), through)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		return conn
	}
	a, b := connect(), connect()
	if first, second := pid(t, a), pid(t, b); first != second {
		t.Errorf("two clients had the sessions %d and %d, want one", first, second)
	}
	tx, err := a.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), answerWithin/4)
	defer cancel()
	if _, err := b.Exec(ctx, "select"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while a transaction has the only session another client got %v", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	var name string
	if err := connect().QueryRow(t.Context(), "select current_database()").Scan(&name); err != nil || !strings.HasPrefix(name, "test_") {
		t.Errorf("database %q, %v", name, err)
	}
}

func TestAStoppedBouncerIsGone(t *testing.T) {
	server := os.Getenv(TestURL)
	b, err := StartBouncer(within(t), server, BouncerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	through, err := b.URL(server)
	if err != nil || !answers(t, through) {
		t.Fatalf("no answer through the pooler: %v", err)
	}
	for range 2 {
		if err := b.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if answers(t, through) {
		t.Error("it still answers")
	}
	if exists(b.place.dir) {
		t.Errorf("%s is left", b.place.dir)
	}
}

func TestABouncerThatDiedIsAnErrorOfStop(t *testing.T) {
	b, err := StartBouncer(within(t), os.Getenv(TestURL), BouncerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.proc.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-b.proc.done
	if err := b.Stop(); err == nil || !strings.Contains(err.Error(), "pgbouncer had ended: signal: killed") {
		t.Errorf("stop: %v", err)
	}
}

func TestABouncerThatDoesNotStartSaysWhy(t *testing.T) {
	dir := openDir(t)
	script(t, dir, "pgbouncer", `echo "FATAL cannot load config"; exit 1`)
	_, err := StartBouncer(within(t), os.Getenv(TestURL), BouncerOptions{BinDirs: []string{dir}})
	if err == nil || !strings.Contains(err.Error(), "exit status 1") || !strings.Contains(err.Error(), "cannot load config") {
		t.Errorf("said %v", err)
	}
}

func TestBouncerIsInstalledWhereItIsMissing(t *testing.T) {
	for name, tt := range map[string]struct{ script, says, log string }{
		"at once":          {`mkdir -p BIN; echo "#!/bin/sh" >BIN/pgbouncer; chmod 755 BIN/pgbouncer`, "", "install"},
		"after an update":  {`if [ "$1" = update ]; then touch BIN.list; exit; fi; [ -e BIN.list ] || exit 100; mkdir -p BIN; echo "#!/bin/sh" >BIN/pgbouncer; chmod 755 BIN/pgbouncer`, "", "install update install"},
		"not at all":       {`echo "no network" >&2; exit 100`, "no network", "install update"},
		"without the file": {`true`, "although its package is installed", "install"},
	} {
		t.Run(name, func(t *testing.T) {
			bin := t.TempDir() + "/bin"
			withInstaller(t, `echo "$1" >>`+bin+`.log; `+strings.ReplaceAll(tt.script, "BIN", bin))
			if os.Geteuid() != 0 {
				tt.says, tt.log = "sudo apt-get install -y pgbouncer", ""
			}
			path, err := bouncerProgram(within(t), BouncerOptions{BinDirs: []string{bin}, Log: io.Discard})
			if tt.says == "" && (err != nil || path != bin+"/pgbouncer") || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
				t.Errorf("found %q, %v", path, err)
			}
			log, err := os.ReadFile(bin + ".log")
			if got := strings.Join(strings.Fields(string(log)), " "); got != tt.log || err != nil && tt.log != "" {
				t.Errorf("ran %q, want %q", got, tt.log)
			}
		})
	}
}
