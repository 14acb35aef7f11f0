package pgdev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Bouncer is a PgBouncer in transaction mode in front of a server: what many a production database is reached by. A session there is
// not the client's: any transaction may run on another server connection than the one before.
type Bouncer struct {
	addr   string // host:port that it listens on
	proc   *process
	place  *place
	once   sync.Once
	result error // of the first Stop; written inside once
}

// BouncerOptions say which PgBouncer to run. The zero value is found or installed, and has two connections a database.
type BouncerOptions struct {
	PoolSize int       // server connections for each database; default 2
	BinDirs  []string  // where the program is looked for; nil: PATH, then the well-known places
	Log      io.Writer // the output of the pooler and of an installer; nil: discarded. Used from other goroutines
}

// StartBouncer runs a pooler in front of the server that the URL names, any of whose databases can then be reached through it, as the
// URL's user. The program is installed if it is missing and this user may; else the error says how. ctx bounds the start.
func StartBouncer(ctx context.Context, server string, opt BouncerOptions) (*Bouncer, error) {
	if opt.Log == nil {
		opt.Log = io.Discard
	}
	if opt.PoolSize == 0 {
		opt.PoolSize = 2
	}
	behind, err := pgx.ParseConfig(server)
	if err != nil {
		return nil, errors.New("start pgbouncer: the server's URL is not a Postgres URL")
	}
	bin, err := bouncerProgram(ctx, opt)
	if err != nil {
		return nil, err
	}
	user, err := serverAccount() // it refuses root, as Postgres does
	if err != nil {
		return nil, err
	}
	where, err := takePlace("", user)
	if err != nil {
		return nil, err
	}
	run := runner{bin: filepath.Dir(bin), place: where, account: user, log: opt.Log}
	b, err := run.bounce(ctx, behind, opt.PoolSize)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start pgbouncer: %w", err), where.leave())
	}
	return b, nil
}

// bounce starts the pooler on a free port; the caller leaves the place if that fails.
func (r runner) bounce(ctx context.Context, behind *pgx.ConnConfig, size int) (*Bouncer, error) {
	var err error
	for range portTries {
		var port int
		if port, err = freePort(); err != nil {
			return nil, err
		}
		path := filepath.Join(r.place.dir, "pgbouncer.ini")
		if err := os.WriteFile(path, []byte(bouncerConfig(behind, port, size)), 0o600); err != nil {
			return nil, err
		}
		if err := r.account.own(path); err != nil {
			return nil, err
		}
		var proc *process
		if proc, err = r.launch("pgbouncer", path); err != nil {
			return nil, err
		}
		b := &Bouncer{addr: "127.0.0.1:" + strconv.Itoa(port), proc: proc, place: r.place}
		if err = b.ready(ctx); err == nil {
			return b, nil
		}
		_ = proc.terminate() // what it says of a pooler that did not come up, ready has said
		if !strings.Contains(proc.said.String(), "Address already in use") {
			break
		}
	}
	return nil, err
}

// bouncerConfig is the whole configuration. Loopback only: whoever connects is the server's user, whatever name he gives.
func bouncerConfig(behind *pgx.ConnConfig, port, size int) string {
	quoted := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	database := fmt.Sprintf("* = host=%s port=%d user=%s", quoted(behind.Host), behind.Port, quoted(behind.User))
	if behind.Password != "" {
		database += " password=" + quoted(behind.Password)
	}
	return fmt.Sprintf(`[databases]
%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = %d
max_client_conn = 200
admin_users = pgbouncer
`, database, port, size)
}

// ready polls the pooler's own console, which nobody else on the port would have.
func (b *Bouncer) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-b.proc.done:
			return fmt.Errorf("pgbouncer ended: %w%s", endOf(b.proc.end), b.proc.said.quoted())
		case <-ctx.Done():
			return fmt.Errorf("wait for pgbouncer: %w%s", ctx.Err(), b.proc.said.quoted())
		case <-tick.C:
		}
		if err := b.ask(ctx); err == nil {
			return nil
		}
	}
}

func (b *Bouncer) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	// The console knows the simple protocol alone.
	conn, err := pgx.Connect(ctx, "postgres://pgbouncer@"+b.addr+"/pgbouncer?sslmode=disable&default_query_exec_mode=simple_protocol")
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "SHOW VERSION")
	return errors.Join(err, conn.Close(ctx))
}

// URL is that of a database of the server, through the pooler. Parameters are kept.
func (b *Bouncer) URL(database string) (string, error) {
	u, err := url.Parse(database)
	if err != nil {
		return "", errors.New("the database's URL is not a URL")
	}
	u.Host = b.addr
	return u.String(), nil
}

// Stop cuts all clients and returns when the pooler is gone. Calls after the first return the same result.
func (b *Bouncer) Stop() error {
	b.once.Do(func() { b.result = errors.Join(b.proc.terminate(), b.place.leave()) })
	return b.result
}

// terminate ends a process that dies of SIGTERM at once, with whatever exit code. An error: it had died before.
func (p *process) terminate() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		if !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop pgbouncer: %w", err)
		}
		<-p.done
		return fmt.Errorf("pgbouncer had ended: %w%s", endOf(p.end), p.said.quoted())
	}
	<-p.done
	return nil
}

// Pooled is the URL of a test's database through a pooler of the test's own with so many connections to it.
func Pooled(t testing.TB, database string, size int) string {
	t.Helper()
	b, err := StartBouncer(t.Context(), database, BouncerOptions{PoolSize: size})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Stop(); err != nil {
			t.Error(err)
		}
	})
	through, err := b.URL(database)
	if err != nil {
		t.Fatal(err)
	}
	return through
}
