package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/rs/zerolog"
)

// stopLimit is when a process that was asked to stop is ended all the same.
const stopLimit = 20 * time.Second

// Service is one binary: how its configuration is read, and what it does.
type Service[C any] struct {
	Name string
	Load func(*Env) C
	Run  func(ctx context.Context, config C, process Process) error
}

// Main runs the binary with the process's arguments and environment, and gives the exit code: one of the Exit
// constants. Arguments: none runs the service; "healthcheck" asks the running one's /readyz; "version" prints it.
func (s Service[C]) Main() int {
	return s.main(os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr)
}

func (s Service[C]) main(args []string, lookup func(string) (string, bool), stdout, stderr io.Writer) int {
	env := NewEnv(lookup)
	switch {
	case len(args) == 0:
		return s.serve(env, stderr)
	case len(args) == 1 && args[0] == "version":
		fmt.Fprintln(stdout, s.Name, Version())
		return ExitDone
	case len(args) == 1 && args[0] == "healthcheck":
		return healthcheck(env, stdout, stderr)
	}
	fmt.Fprintf(stderr, "usage: %s [healthcheck | version]\nIt is configured by environment variables; `balsync config print` lists them.\n", s.Name)
	return ExitUsage
}

// Frame are the settings that every service has, whatever it does.
type Frame struct{ level, format, addr, instance string }

// LoadFrame reads them; faults go to env. `config validate` reads them too, so that it knows every fault that a start would find.
func LoadFrame(env *Env) Frame {
	f := Frame{
		level:    env.OneOf("LOG_LEVEL", "info", "debug", "warn", "error"),
		format:   env.OneOf("LOG_FORMAT", "json", "console"),
		addr:     adminAddr(env),
		instance: env.Instance(),
	}
	if _, _, err := net.SplitHostPort(f.addr); err != nil {
		env.Fault("BALSYNC_ADMIN_ADDR=%q: must be host:port, such as 127.0.0.1:8081", f.addr)
	}
	return f
}

// adminAddr reads the listener's address; images set :8081, everything else stays on loopback.
func adminAddr(env *Env) string { return env.Text("BALSYNC_ADMIN_ADDR", "127.0.0.1:8081") }

func (s Service[C]) serve(env *Env, stderr io.Writer) int {
	frame := LoadFrame(env)
	config := s.Load(env)
	scrub := secret.NewScrubber(env.Secrets()...)
	if err := env.Err(); err != nil {
		fmt.Fprintf(stderr, "%s: the configuration has faults:\n%s\n", s.Name, scrub.Scrub(err.Error()))
		return ExitUsage
	}
	log := NewLogger(stderr, frame.level, frame.format, scrub)
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	process := Process{Version: Version(), Instance: frame.instance, Log: log, Metrics: registry, Health: NewHealth(), Scrub: scrub}.As(s.Name)
	admin, err := ListenAdmin(frame.addr, process.Health, registry, scrub, map[string]string{"service": s.Name, "version": process.Version, "instance": frame.instance})
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", s.Name, err)
		return ExitFailed
	}
	start := process.Log.Info().Str("version", process.Version).Str("admin", admin.Addr())
	for _, setting := range env.Settings() {
		start = start.Str(setting.Key, setting.Value)
	}
	start.Msg("starting")
	for _, warning := range env.Warnings() {
		process.Log.Warn().Str("what", warning).Msg("configuration")
	}
	return s.supervise(config, process, admin, stopLimit)
}

// supervise runs the service until it ends or a signal asks it to, then holds it to the limit.
func (s Service[C]) supervise(config C, process Process, admin *Admin, limit time.Duration) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	adminCtx, closeAdmin := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() { served <- admin.Serve(adminCtx) }()
	defer func() { closeAdmin(); <-served }()

	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, config, process) }()
	var late <-chan time.Time
	asked := ctx.Done()
	for {
		select {
		case <-asked:
			asked = nil
			stop() // the next signal kills
			process.Health.Drain()
			process.Log.Info().Msg("stopping")
			late = time.After(limit)
		case <-late:
			process.Log.Error().Dur("after", limit).Msg("stopped with work in hand")
			return ExitFailed
		case err := <-done:
			if err != nil && !errors.Is(err, context.Canceled) {
				process.Log.Error().Err(err).Msg("ended")
				return ExitFailed
			}
			process.Log.Info().Msg("stopped")
			return ExitDone
		}
	}
}

// NewLogger gives the process's logger: JSON lines, or text for a person, with secrets scrubbed from every line.
func NewLogger(to io.Writer, level, format string, scrub *secret.Scrubber) zerolog.Logger {
	parsed, err := zerolog.ParseLevel(level)
	if err != nil {
		parsed = zerolog.InfoLevel
	}
	to = secret.Writer{To: to, Scrubber: scrub}
	if format == "console" {
		to = zerolog.ConsoleWriter{Out: to, TimeFormat: time.TimeOnly}
	}
	return zerolog.New(to).Level(parsed).With().Timestamp().Logger()
}

// healthcheck asks the service that runs with the same environment whether it is ready: for containers without a shell or curl.
func healthcheck(env *Env, stdout, stderr io.Writer) int {
	host, port, err := net.SplitHostPort(adminAddr(env))
	if err != nil {
		fmt.Fprintf(stderr, "BALSYNC_ADMIN_ADDR: %v\n", err)
		return ExitUsage
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get("http://" + net.JoinHostPort(host, port) + "/readyz")
	if err != nil {
		fmt.Fprintf(stderr, "unhealthy: %v\n", err)
		return ExitUnhealthy
	}
	defer response.Body.Close()
	if _, err := io.Copy(stdout, io.LimitReader(response.Body, 64<<10)); err != nil {
		fmt.Fprintf(stderr, "unhealthy: %v\n", err)
		return ExitUnhealthy
	}
	if response.StatusCode != http.StatusOK {
		return ExitUnhealthy
	}
	return ExitDone
}
