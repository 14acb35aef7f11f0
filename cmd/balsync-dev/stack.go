package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/balance-sync/balance-sync/devkit/natsdev"
	"github.com/balance-sync/balance-sync/devkit/pgdev"
	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// stack is everything that a run starts, in the order in which it is started; close ends it in the opposite order.
type stack struct {
	opt     options
	console console
	scrub   *secret.Scrubber
	display *display

	dir      string
	admin    *service.Admin
	health   *service.Health
	registry *prometheus.Registry
	postgres *pgdev.Server
	database secret.Text
	roles    string // what the names of the services' database roles begin with; "": they all connect as DATABASE_URL says
	nats     *natsdev.Server
	chains   []*devChain
	pool     *pgxpool.Pool
	planted  map[uuid.UUID]string // row → the error that it must end in
	began    time.Time
	closers  []func() error
}

// newStack binds the admin listener, before anything slow is started, and makes the directory that everything lives in.
func newStack(opt options, c console, scrub *secret.Scrubber) (*stack, error) {
	s := &stack{opt: opt, console: c, scrub: scrub, display: newDisplay(c, opt.json), health: service.NewHealth(), registry: prometheus.NewRegistry()}
	var err error
	s.admin, err = service.ListenAdmin(opt.adminAddr, s.health, s.registry, scrub, map[string]string{"service": "balsync-dev", "version": service.Version()})
	if err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "balsync-dev-"); err != nil {
		return nil, fmt.Errorf("make a directory: %w", err)
	}
	// Postgres may have to run as another user, who must be able to pass through.
	if err := os.Chmod(s.dir, 0o755); err != nil {
		return nil, fmt.Errorf("open the directory: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.admin.Serve(ctx) }()
	s.onClose(func() error { cancel(); return <-served })
	return s, nil
}

func (s *stack) onClose(f func() error) { s.closers = append(s.closers, f) }

func (s *stack) close() error {
	var faults []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		faults = append(faults, s.closers[i]())
	}
	if s.opt.keep {
		s.display.line("kept", s.dir)
	} else {
		faults = append(faults, os.RemoveAll(s.dir))
	}
	return errors.Join(faults...)
}

// start brings up the servers and prepares them: schema, rows.
func (s *stack) start(ctx context.Context) error {
	s.display.line("admin", "http://"+s.admin.Addr())
	if err := s.startPostgres(ctx); err != nil {
		return err
	}
	var err error
	if len(s.opt.chains) > 0 {
		s.chains = real(s.opt.chains)
	} else {
		s.chains, err = builtin(ctx, s.opt.wallets)
		s.onClose(func() error { return closeAll(s.chains) })
		if err != nil {
			return err
		}
	}
	for _, c := range s.chains {
		s.display.line("chain "+c.name, s.scrub.Scrub(c.url))
	}
	if err := s.startNATS(); err != nil {
		return err
	}
	return s.prepare(ctx)
}

// startPostgres uses the database that DATABASE_URL names, or starts a private one.
func (s *stack) startPostgres(ctx context.Context) error {
	if !s.opt.database.Empty() {
		s.database, s.roles = s.opt.database, s.opt.roles
		s.display.line("postgres", "DATABASE_URL")
		return nil
	}
	opt := pgdev.Options{Durable: true, Install: s.opt.install, Fetch: s.opt.pgBin == nil, BinDirs: s.opt.pgBin,
		Settings: map[string]string{"shared_buffers": "256MB", "max_wal_size": "2GB"}}
	if s.opt.install {
		opt.Log = s.console.err
	}
	if s.opt.keep {
		opt.Dir = filepath.Join(s.dir, "postgres")
	}
	server, err := pgdev.Start(ctx, opt)
	if err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	s.postgres, s.database, s.roles = server, secret.New(server.URL()), schema.RolePrefix
	s.onClose(server.Stop)
	s.display.line("postgres", server.URL())
	return nil
}

// prepare migrates the database and fills it. A database that holds balances already is not ours to fill.
func (s *stack) prepare(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.database.Reveal())
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // its work is done or undone by now
	var taken bool
	if err := conn.QueryRow(ctx, "SELECT to_regclass('wallet_balances') IS NOT NULL").Scan(&taken); err != nil {
		return fmt.Errorf("look at the database: %w", err)
	}
	if taken {
		return misuse("the database of DATABASE_URL has a table wallet_balances already: name an empty one")
	}
	if err := s.migrate(ctx, conn); err != nil {
		return err
	}
	if s.planted, err = seed(ctx, conn, s.chains); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "VACUUM ANALYZE"); err != nil {
		return fmt.Errorf("analyze: %w", err)
	}
	s.pool, err = schema.OpenPool(s.database, "balsync-dev", 4)
	if err != nil {
		return err
	}
	s.onClose(func() error { s.pool.Close(); return nil })
	return nil
}

// log is where the services' log lines go: the terminal, warnings and worse unless LOG_LEVEL asks for more.
func (s *stack) logTo() (io.Writer, string, string) {
	env := service.NewEnv(s.opt.lookup)
	return s.console.err, env.Text("LOG_LEVEL", "warn"), env.Text("LOG_FORMAT", "console")
}
