// Package service is what every process needs and no service should write again: configuration from the environment,
// a logger, signals, the admin listener, and the two-phase stop.
//
// A service is a function Run(ctx, config, process). When ctx ends, intake stops; work in hand goes on with
// [Process.Grace], whose context lives at most [GracePeriod] longer, and Run returns when it is done. A second signal
// kills. Tests and the all-in-one call the same Run.
package service

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// GracePeriod is how long work in hand may take after the stop was asked for. A process exits within 20 s of SIGTERM.
const GracePeriod = 15 * time.Second

// Exit codes of every binary.
const (
	ExitDone      = 0
	ExitFailed    = 1
	ExitUnhealthy = 2
	ExitUsage     = 3
)

// Process is what a service is given to run in. Several services may share one, each with its own name.
type Process struct {
	// Name is the service's, such as fetcher-evm; Version and Instance say which one this is.
	Name, Version, Instance string
	Log                     zerolog.Logger
	// Metrics takes the service's collectors. It labels them with the service, so that two services of one process never collide.
	Metrics prometheus.Registerer
	Health  *Health
	// Scrub cuts secrets out of texts that leave the process.
	Scrub *secret.Scrubber
}

// As gives the process for another service of it.
func (p Process) As(name string) Process {
	p.Log = p.Log.With().Str("service", name).Logger()
	p.Metrics = prometheus.WrapRegistererWith(prometheus.Labels{"service": name}, p.Metrics)
	p.Name = name
	return p
}

// Producer is service@version/instance, the header that says who sent a message.
func (p Process) Producer() string { return p.Name + "@" + p.Version + "/" + p.Instance }

// Report sets the state of one of the service's dependencies for /readyz: nil, or why it cannot be used. The log has a line
// when it is lost and one when it is back, however often it is reported in between.
func (p Process) Report(dependency string, err error) {
	if !p.Health.Set(p.Name+"."+dependency, err) {
		return
	}
	if err != nil {
		p.Log.Warn().Str("dependency", dependency).Err(err).Msg("dependency cannot be used")
	} else {
		p.Log.Info().Str("dependency", dependency).Msg("dependency can be used again")
	}
}

// Expect names the dependencies that must report before the service is ready.
func (p Process) Expect(dependencies ...string) {
	for _, d := range dependencies {
		p.Report(d, errPending)
	}
}

// Grace gives the context for work in hand: it outlives ctx by at most [GracePeriod]. Call done when the work is.
func Grace(ctx context.Context) (work context.Context, done context.CancelFunc) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(GracePeriod, cancel)
		context.AfterFunc(work, func() { timer.Stop() })
	})
	return work, func() { stop(); cancel() }
}

// Version is the version that was built: the module's, or the revision's first twelve digits, or "devel".
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	return "devel"
}
