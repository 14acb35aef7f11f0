package fetchertron

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/upstream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/rs/zerolog"
)

// fleet is the nodes of one chain.
type fleet struct {
	chain   chain.Config
	pool    *upstream.Pool
	nodes   map[*upstream.Endpoint]*node
	tokens  tokens
	scripts scripts
	// multicall is where Multicall3 stands, none for nowhere.
	multicall address
	process   service.Process
	metrics   *metrics
	log       zerolog.Logger
	// scrub knows the secrets of this chain, whoever made the process.
	scrub *secret.Scrubber
	// slack is the least that a single call's height is lowered by, headAge how old a head may be.
	slack   int64
	headAge time.Duration
}

// newFleets makes the nodes of all chains, which share the budgets of providers' keys. Close each.
func newFleets(config Config, process service.Process) ([]*fleet, error) {
	config.budgets = &upstream.Budgets{}
	var fleets []*fleet
	for _, c := range config.Chains {
		f, err := newFleet(config, c, process)
		if err != nil {
			for _, made := range fleets {
				made.close()
			}
			return nil, fmt.Errorf("chain %s: %w", c.Name, err)
		}
		fleets = append(fleets, f)
	}
	return fleets, nil
}

// newFleet makes the chain's nodes, all in quarantine until the first check. Close it.
func newFleet(config Config, c chain.Config, process service.Process) (*fleet, error) {
	c.BlockTime = cmp.Or(c.BlockTime, 3*time.Second)
	top := slices.Index(routes[:], config.Route)
	if top < 0 {
		return nil, fmt.Errorf("there is no route %q", config.Route)
	}
	m, err := newMetrics(process.Metrics, c.Name)
	if err != nil {
		return nil, err
	}
	f := &fleet{chain: c, process: process, metrics: m, nodes: map[*upstream.Endpoint]*node{}, scripts: newScripts(), slack: config.Slack, headAge: config.HeadAge,
		log: process.Log.With().Str("chain", c.Name).Logger(), scrub: secret.NewScrubber(chain.Secrets([]chain.Config{c})...)}
	if c.Multicall != "" {
		if f.multicall, err = parseToken(c.Multicall); err != nil {
			return nil, fmt.Errorf("multicall: %w", err)
		}
	}
	members := make([]upstream.Member, len(c.Endpoints))
	for i, e := range c.Endpoints {
		members[i] = upstream.Member{Name: e.Name, RPS: e.RPS, Budget: e.Budget, Concurrency: e.Concurrency}
	}
	// Nodes of one chain differ by a few blocks without lagging. A head is renewed with every check.
	f.pool = upstream.New(members, upstream.Settings{BlockTime: c.BlockTime, Lag: 5, HeadAge: 3 * config.CheckEvery, Budgets: config.budgets})
	if err := process.Metrics.Register(f.pool.Collector(c.Name)); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	for i, member := range f.pool.Endpoints() {
		t, err := newTransport(c.Endpoints[i], config.Timeout, config.MaxAnswer, config.trust)
		if err != nil {
			f.close()
			return nil, fmt.Errorf("endpoint %s: %w", member.Name(), err)
		}
		f.nodes[member] = &node{fleet: f, member: member, transport: t, wallet: walletOf(t.conn, c.Finality), ladder: newLadder(rung(top), config.Weight)}
		if plain(c.Endpoints[i].URL) {
			f.log.Warn().Str("endpoint", member.Name()).Msg("endpoint is asked over grpc without tls: keys and answers can be read and changed on the way")
		}
	}
	return f, nil
}

// close ends the connections.
func (f *fleet) close() {
	for _, n := range f.nodes {
		// It fails only when it is closed already.
		_ = n.transport.conn.Close()
	}
}

// clean makes a text fit to leave: without secrets, then short. Cut first, half a key could pass.
func (f *fleet) clean(text string) string {
	return wire.CleanError(f.process.Scrub.Scrub(f.scrub.Scrub(text)))
}

// report tells /readyz whether the chain can be read. An endpoint of another chain is reported even if others can be used: it is a
// mistake in the configuration, and a person has to see it.
func (f *fleet) report() {
	usable := false
	var wrong, out []string
	for _, s := range f.pool.States() {
		switch {
		case s.Fault == nil:
			usable = true
		case s.Quarantined && s.Fault.Code == wire.CodeWrongChain:
			wrong = append(wrong, s.Name+": "+s.Fault.Text)
		default:
			out = append(out, s.Name+": "+s.Fault.Error())
		}
	}
	var err error
	switch {
	case len(wrong) > 0:
		err = errors.New(strings.Join(wrong, "; "))
	case !usable:
		err = errors.New(strings.Join(out, "; "))
	}
	f.process.Report(dependency(f.chain), err)
}

// dependency is what /readyz calls the nodes of a chain.
func dependency(c chain.Config) string { return "nodes." + c.Name }
