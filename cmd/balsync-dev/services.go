package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/balance-sync/balance-sync/services/claimer"
	fetcherevm "github.com/balance-sync/balance-sync/services/fetcher-evm"
	fetchertron "github.com/balance-sync/balance-sync/services/fetcher-tron"
	"github.com/balance-sync/balance-sync/services/writer"
	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/stream"
	"golang.org/x/sync/errgroup"
)

// services are the running services. failed is closed when one of them has ended without being asked to.
type services struct {
	cancel context.CancelFunc
	group  *errgroup.Group
	failed <-chan struct{}
}

// stop ends them in two phases and gives the first error that any of them ended with.
func (s services) stop() error {
	s.cancel()
	return s.group.Wait()
}

// run provisions the broker and starts the services, each with the configuration that it would read in production.
func (s *stack) run(ctx context.Context) (services, error) {
	lookup, err := s.environment()
	if err != nil {
		return services{}, err
	}
	toClaim, err1 := loadAs(s, lookup, stream.Claimer, schema.Claimer, claimer.Load)
	toFetchEVM, err2 := loadAs(s, lookup, stream.Fetcher+"evm", "", fetcherevm.Load)
	toWrite, err3 := loadAs(s, lookup, stream.Writer, schema.Writer, writer.Load)
	toFetchTRON, err5 := loadAs(s, lookup, stream.Fetcher+"tron", "", fetchertron.Load)
	nats, err4 := loadAs(s, lookup, stream.Provisioner, "", func(env *service.Env) stream.Options { return stream.LoadOptions(env, stream.Provisioner) })
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return services{}, misuse("the configuration has faults:\n%w", err)
	}
	env := service.NewEnv(lookup)
	to, level, format := s.logTo()
	process := service.Process{Version: service.Version(), Instance: env.Instance(), Log: service.NewLogger(to, level, format, s.scrub),
		Metrics: s.registry, Health: s.health, Scrub: s.scrub}

	conn, err := stream.Connect(ctx, nats)
	if err != nil {
		return services{}, err
	}
	s.onClose(func() error { conn.Close(); return nil })
	settings := stream.DefaultSettings()
	settings.ClaimBytes, settings.ResultBytes, settings.LetterBytes = 256<<20, 1<<30, 64<<20
	plan, err := stream.NewPlan(env.Chains(), settings)
	if err != nil {
		return services{}, err
	}
	if _, err := plan.Provision(ctx, conn.JS); err != nil {
		return services{}, err
	}
	for _, c := range s.chains {
		if c.node != nil {
			c.start = c.node.Head()
		}
	}
	s.began = time.Now()

	// Not ctx: an interrupt ends the watch first, then stop ends the services, so that there is one way to stop.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	group, failed := errgroup.WithContext(ctx)
	group.Go(func() error { return claimer.Run(failed, toClaim, process.As("claimer")) })
	if len(toFetchEVM.Chains) > 0 { // a fetcher with nothing to read is a mistake anywhere else
		group.Go(func() error { return fetcherevm.Run(failed, toFetchEVM, process.As("fetcher-evm")) })
	}
	if len(toFetchTRON.Chains) > 0 {
		group.Go(func() error { return fetchertron.Run(failed, toFetchTRON, process.As("fetcher-tron")) })
	}
	group.Go(func() error { return writer.Run(failed, toWrite, process.As("writer")) })
	group.Go(func() error {
		plan.Watch(failed, conn.JS, 5*time.Second, func(_ []stream.Change, err error) {
			if err != nil {
				process.Log.Error().Err(err).Msg("not provisioned")
			}
		})
		return nil
	})
	return services{cancel, group, failed.Done()}, nil
}

// envAs is the environment that a service has alone: its own user of the broker, and its own role of the database, "" for a service
// that has no database.
func (s *stack) envAs(lookup func(string) (string, bool), user, role string) (*service.Env, error) {
	own := map[string]string{"NATS_URL": s.nats.As(user, s.opt.passwords.of(user)), "NATS_URL_FILE": "", "NATS_CREDS": "", "DATABASE_URL": "", "DATABASE_URL_FILE": ""}
	if role != "" {
		database, err := s.databaseAs(role)
		if err != nil {
			return nil, err
		}
		own["DATABASE_URL"] = database.Reveal()
	}
	return service.NewEnv(func(name string) (string, bool) {
		if value, ok := own[name]; ok {
			return value, true
		}
		return lookup(name)
	}), nil
}

// loadAs reads a service's configuration from the environment that it has alone.
func loadAs[C any](s *stack, lookup func(string) (string, bool), user, role string, load func(*service.Env) C) (config C, err error) {
	env, err := s.envAs(lookup, user, role)
	if err != nil {
		return config, err
	}
	config = load(env)
	return config, env.Err()
}

// environment writes chains.yaml and gives the lookup that the services have in common: ours first, then the process's own.
func (s *stack) environment() (func(string) (string, bool), error) {
	var file strings.Builder
	file.WriteString("chains:\n")
	own := map[string]string{"BALSYNC_CHAIN": ""}
	for _, c := range s.chains {
		file.WriteString(c.entry())
		own[c.variable()] = c.url
		if _, standIn := c.node.(solid); standIn {
			own["BALSYNC_TRON_SLACK"] = "0" // it is one node, not many behind one address
		}
	}
	path := filepath.Join(s.dir, "chains.yaml")
	if err := os.WriteFile(path, []byte(file.String()), 0o644); err != nil {
		return nil, fmt.Errorf("write chains.yaml: %w", err)
	}
	own["BALSYNC_CHAINS"] = path
	return func(name string) (string, bool) {
		if value, ok := own[name]; ok {
			return value, true
		}
		return s.opt.lookup(name)
	}, nil
}
