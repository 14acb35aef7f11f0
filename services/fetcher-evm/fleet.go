package fetcherevm

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"slices"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/upstream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/rs/zerolog"
)

// fleet is the nodes of one chain.
type fleet struct {
	chain chain.Config
	// multicall is where Multicall3 should stand.
	multicall address
	pool      *upstream.Pool
	nodes     map[*upstream.Endpoint]*node
	process   service.Process
	metrics   *metrics
	log       zerolog.Logger
	// config are the service's settings.
	config Config
	// scripts are the scanner's programs for the chain.
	scripts scripts
	// tokens is what was learnt about the chain's tokens, at whichever endpoint.
	tokens *tokens
	// scrub knows the secrets of this chain, whoever made the process.
	scrub *secret.Scrubber
}

// newFleets makes the nodes of all chains, which share the budgets of providers' keys.
func newFleets(config Config, process service.Process) ([]*fleet, error) {
	config.budgets = &upstream.Budgets{}
	fleets := make([]*fleet, len(config.Chains))
	for i, c := range config.Chains {
		var err error
		if fleets[i], err = newFleet(config, c, process); err != nil {
			return nil, fmt.Errorf("chain %s: %w", c.Name, err)
		}
	}
	return fleets, nil
}

// newFleet makes the chain's nodes, all in quarantine until the first check.
func newFleet(config Config, c chain.Config, process service.Process) (*fleet, error) {
	c.BlockTime, c.Multicall = cmp.Or(c.BlockTime, time.Second), cmp.Or(c.Multicall, chain.DefaultMulticall)
	config.MaxBody = cmp.Or(config.MaxBody, maxBody)
	multicall, err := parseAddress(c.Multicall)
	if err != nil {
		return nil, fmt.Errorf("multicall %q is %w", c.Multicall, err)
	}
	m, err := newMetrics(process.Metrics, c.Name)
	if err != nil {
		return nil, err
	}
	f := &fleet{chain: c, process: process, metrics: m, nodes: map[*upstream.Endpoint]*node{}, config: config, tokens: newTokens(), scripts: newScripts(c), multicall: multicall,
		log: process.Log.With().Str("chain", c.Name).Logger(), scrub: secret.NewScrubber(chain.Secrets([]chain.Config{c})...)}
	members := make([]upstream.Member, len(c.Endpoints))
	for i, e := range c.Endpoints {
		members[i] = upstream.Member{Name: e.Name, RPS: e.RPS, Budget: e.Budget, Concurrency: e.Concurrency}
	}
	// Nodes of one chain differ by a few seconds of blocks without lagging. A head is renewed with every check.
	f.pool = upstream.New(members, upstream.Settings{BlockTime: c.BlockTime, Lag: 3 + int64(3*time.Second/c.BlockTime), HeadAge: 3 * config.CheckEvery, LatencyGap: config.latencyGap,
		Budgets: config.budgets})
	if err := process.Metrics.Register(f.pool.Collector(c.Name)); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	for i, member := range f.pool.Endpoints() {
		resent := m.resent.WithLabelValues(member.Name())
		f.nodes[member] = &node{fleet: f, member: member, ladder: newLadder(rungOf(config.Route), config.BatchSize),
			transport: newTransport(c.Endpoints[i], config.Timeout, config.Fetch.SweepSlots+config.Fetch.FastSlots+2, resent.Inc)}
		if plain(c.Endpoints[i].URL) {
			f.log.Warn().Str("endpoint", member.Name()).Msg("endpoint is asked over http without tls: keys and answers can be read and changed on the way")
		}
	}
	return f, nil
}

// plain reports whether requests to a URL leave the machine without TLS.
func plain(text secret.Text) bool {
	u, err := url.Parse(text.Reveal())
	if err != nil || u.Scheme != "http" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}

// clean makes a text fit to leave: without secrets, then short. Cut first, half a key could pass.
func (f *fleet) clean(text string) string {
	return wire.CleanError(f.process.Scrub.Scrub(f.scrub.Scrub(text)))
}

// reaches reports whether an endpoint that may be asked, none of those that were tried, told of a head at a height or above.
func (f *fleet) reaches(height int64, tried []*upstream.Endpoint) bool {
	return height > 0 && slices.ContainsFunc(f.pool.States(), func(s upstream.State) bool {
		return s.Fault == nil && s.Head >= height && !slices.ContainsFunc(tried, func(e *upstream.Endpoint) bool { return e.Name() == s.Name })
	})
}

// report tells /readyz whether the chain can be read.
func (f *fleet) report() {
	f.process.Report(fetch.Dependency(f.chain), f.pool.Health(wire.CodeWrongChain))
}
