package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
)

// console is what the command touches of the world.
type console struct {
	lookup   chain.Lookup
	out, err io.Writer
}

// locked lets the services' logs and the display write to one place, a whole line at a time.
type locked struct {
	mu sync.Mutex // guards to
	to io.Writer
}

func (l *locked) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(line)
}

// fault is an error with the exit code that it means.
type fault struct {
	code int
	err  error
}

func (f fault) Error() string { return f.err.Error() }
func (f fault) Unwrap() error { return f.err }

// run is the whole command. It gives the exit code: 0 every row is right, 1 failed or wrong, 2 a chain's node is unhealthy, 3 usage.
func run(args []string, c console) int {
	c.err = &locked{to: c.err}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal kills
	opt, help, err := parse(args, c.lookup)
	if help != "" {
		fmt.Fprint(c.out, help)
		return service.ExitDone
	}
	scrub := secret.NewScrubber(opt.secrets()...)
	if err == nil {
		err = develop(ctx, opt, c, scrub)
	}
	if err == nil {
		return service.ExitDone
	}
	fmt.Fprintf(c.err, "balsync-dev: %s\n", scrub.Scrub(err.Error()))
	var f fault
	if errors.As(err, &f) {
		return f.code
	}
	return service.ExitFailed
}

// develop starts everything, waits for what was asked for, stops everything, and reports.
func develop(ctx context.Context, opt options, c console, scrub *secret.Scrubber) (err error) {
	for _, rc := range opt.chains {
		if err := checkNode(ctx, rc); err != nil {
			return err
		}
	}
	s, err := newStack(opt, c, scrub)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.start(ctx); err != nil {
		return err
	}
	services, err := s.run(ctx)
	if err != nil {
		return err
	}
	reached, waitErr := s.watch(ctx, services.failed)
	if err := services.stop(); err != nil {
		return fmt.Errorf("stop the services: %w", err)
	}
	if waitErr != nil {
		return waitErr
	}
	report, err := s.report(context.WithoutCancel(ctx), reached)
	if err != nil {
		return err
	}
	if err := s.display.final(report, reached); err != nil {
		return err
	}
	return report.verdict(opt, reached)
}
