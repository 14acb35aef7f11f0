package claimer

import (
	"context"
	"sync"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
)

// crew keeps a worker at every chain that is to be claimed. Its maps belong to the goroutine of keep.
type crew struct {
	config  Config
	pool    *pgxpool.Pool
	store   *Store
	conn    *stream.Conn
	metrics *metrics
	process service.Process

	workers map[string]*worker // by the chain's configured name
	states  map[string]state   // as last logged
	strange map[uuid.UUID]bool // chains of the database that were warned of
}

// worker is the two lanes of a chain at work.
type worker struct {
	chain chain.Config
	id    uuid.UUID
	stop  context.CancelFunc
	done  chan struct{} // closed when both lanes have ended
}

// keep looks at the chains again and again, and returns when ctx has ended and every worker too.
func (c *crew) keep(ctx, work context.Context) {
	var t trouble
	for {
		next := c.config.ChainPoll
		if err := c.look(ctx, work); err != nil && ctx.Err() == nil {
			next = min(next, t.failed(c.process.Log, "look at the chains", err))
		} else {
			t.over(c.process.Log)
		}
		if !pause(ctx, next) {
			break
		}
	}
	for _, w := range c.workers {
		<-w.done
	}
}

// lookFor bounds a look at the chains.
const lookFor = 5 * time.Second

// look brings the workers in line with the database. What could not be read changes nothing: a chain is not inactive because the
// database did not answer.
func (c *crew) look(ctx, work context.Context) error {
	limited, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	err := schema.Ready(limited, c.pool)
	if err == nil {
		err = schema.Allowed(limited, c.pool, schema.Claimer)
	}
	var known []databaseChain
	if err == nil {
		known, err = c.store.chains(limited)
	}
	if ctx.Err() != nil {
		return nil
	}
	c.process.Report("postgres", err)
	if err != nil {
		return err
	}
	matches, left := matchChains(c.config.Chains, known)
	counts := map[state]int{stateClaimed: 0, stateInactive: 0, stateUnknown: 0, stateAmbiguous: 0, stateUnconfigured: len(left)}
	for _, configured := range c.config.Chains {
		m := matches[configured.Name]
		counts[m.state]++
		c.apply(ctx, work, configured, m)
	}
	for state, n := range counts {
		c.metrics.chains.WithLabelValues(string(state)).Set(float64(n))
	}
	for _, k := range left {
		if !c.strange[k.ID] {
			c.strange[k.ID] = true
			c.process.Log.Warn().Str("name", k.Name).Stringer("chain_id", k.ID).Msg("chain of the database is not configured")
		}
	}
	return nil
}

// apply starts, stops or leaves the worker of a chain, and logs a change of its state once.
func (c *crew) apply(ctx, work context.Context, config chain.Config, m match) {
	name := config.Name
	if c.states[name] != m.state {
		c.states[name] = m.state
		event := c.process.Log.Warn()
		if m.state == stateClaimed {
			event = c.process.Log.Info()
		}
		event.Str("chain", name).Str("state", string(m.state)).Msg("chain")
	}
	w := c.workers[name]
	if w != nil && w.id != m.id {
		w.stop()
		select {
		case <-w.done:
			delete(c.workers, name)
			w = nil
		default:
			return // it has a claim in hand; the next look finds it gone
		}
	}
	switch {
	case m.state != stateClaimed:
		// Not claimed by choice, which is no reason to be not ready.
		for _, dependency := range dependencies(name) {
			c.process.Report(dependency, nil)
		}
	case w == nil:
		c.workers[name] = c.start(ctx, work, config, m.id)
	}
}

// dependencies are those of a chain, as its lanes report them.
func dependencies(chain string) []string {
	return []string{"nats." + chain, "nats." + chain + ".fast", "postgres." + chain, "postgres." + chain + ".fast"}
}

// start sets the lanes of a chain to work.
func (c *crew) start(ctx, work context.Context, config chain.Config, id uuid.UUID) *worker {
	ctx, stop := context.WithCancel(ctx)
	w := &worker{chain: config, id: id, stop: stop, done: make(chan struct{})}
	sweep, fast := c.newLane(w, wire.Sweep), c.newLane(w, wire.Fast)
	var lanes sync.WaitGroup
	lanes.Go(func() { sweep.sweep(ctx, work, NewSweep(c.store, id, c.config.Window)) })
	lanes.Go(func() { fast.fast(ctx, work) })
	go func() {
		lanes.Wait()
		stop()
		close(w.done)
	}()
	return w
}
