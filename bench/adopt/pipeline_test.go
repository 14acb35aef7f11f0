package adopt

import (
	"context"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/natsdev"
	"github.com/balance-sync/balance-sync/devkit/pgdev"
	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/services/claimer"
	"github.com/balance-sync/balance-sync/services/writer"
	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// pipeline is the services at work on one chain, bsc: claimers and writers as production runs them, and the fetchers' loop before a ledger.
type pipeline struct {
	t        *testing.T
	conn     *stream.Conn // the test's own
	ledger   *ledger
	writers  []*prometheus.Registry
	health   *service.Health
	claimers []func() // each stops one and waits until it has ended
	rest     []func()
}

// patience is far above what anything here takes: only a failing test waits for so long.
const patience = 60 * time.Second

// lease is long against what a claim takes here, and short enough to wait for: a row that a writer finds busy each time is left to it.
const lease = 15 * time.Second

// access is the database as each service connects to it.
type access struct{ claimer, writer string }

// everybody is the database with the same rights for all.
func everybody(url string) access { return access{url, url} }

// itsOwnRole makes the roles in the database, which others use too, and gives each service its own.
func itsOwnRole(t *testing.T, url string) access {
	t.Helper()
	prefix := pgdev.RolePrefix(t, url)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }() // its work is done or the test has failed
	if _, err := conn.Exec(t.Context(), schema.RolesSQL(schema.RoleOptions{Prefix: prefix})); err != nil {
		t.Fatal(err)
	}
	if _, err := schema.Grant(t.Context(), conn, prefix); err != nil {
		t.Fatal(err)
	}
	return access{claimer: pgdev.As(t, url, prefix+schema.Claimer, "x"), writer: pgdev.As(t, url, prefix+schema.Writer, "x")}
}

// startPipeline runs so many claimers and as many writers on the database. A row with a value rests for interval.
func startPipeline(t *testing.T, to access, each int, interval time.Duration, l *ledger) *pipeline {
	t.Helper()
	server := natsdev.Run(t)
	chains := []chain.Config{{Name: "bsc", Family: chain.EVM, ChainID: 56, BlockTime: 10 * time.Millisecond, HeightSlack: 10_000}}
	broker := func(name string) stream.Options {
		return stream.Options{URL: secret.New(server.URL()), Service: name}
	}
	p := &pipeline{t: t, ledger: l, health: service.NewHealth()}
	var err error
	if p.conn, err = stream.Connect(t.Context(), broker("test")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.conn.Close)
	settings := stream.DefaultSettings()
	settings.ClaimBytes, settings.ResultBytes, settings.LetterBytes = 64<<20, 256<<20, 16<<20
	plan, err := stream.NewPlan(chains, settings)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Provision(t.Context(), p.conn.JS); err != nil {
		t.Fatal(err)
	}
	for i := range each {
		claims, writes := p.process(i), p.process(i)
		p.claimers = append(p.claimers, p.run(func(ctx context.Context) error {
			return claimer.Run(ctx, claimer.Config{Database: secret.New(to.claimer), Broker: broker("claimer"), Chains: chains, BatchSize: 1000, Lease: lease,
				Window: 50_000, PassPace: 200 * time.Millisecond, FastPoll: 50 * time.Millisecond, FastRows: 50, Messages: 64, Patience: 5 * time.Second,
				ChainPoll: 200 * time.Millisecond, OrphanPace: time.Second}, claims.As("claimer"))
		}))
		p.writers = append(p.writers, writes.Metrics.(*prometheus.Registry))
		p.rest = append(p.rest, p.run(func(ctx context.Context) error {
			return writer.Run(ctx, writer.Config{Database: secret.New(to.writer), Broker: broker("writer"), Chains: chains, Interval: interval}, writes.As("writer"))
		}))
	}
	p.rest = append(p.rest, p.run(func(ctx context.Context) error {
		conn, err := stream.Connect(ctx, broker("fetcher"))
		if err != nil {
			return err
		}
		defer conn.Close()
		return fetch.Run(ctx, fetch.Config{SweepSlots: 4, FastSlots: 2, Patience: 15 * time.Second}, chains[0], conn, l, p.process(0).As("fetcher"))
	}))
	return p
}

// process is the i-th of a service, with metrics of its own.
func (p *pipeline) process(i int) service.Process {
	return service.Process{Version: "test", Instance: string(rune('a' + i)), Log: zerolog.Nop(), Metrics: prometheus.NewRegistry(), Health: p.health, Scrub: secret.NewScrubber()}
}

// run starts a service; the returned function stops it, once, and waits until it has ended. The end of the test does so too.
func (p *pipeline) run(serve func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := serve(ctx); err != nil {
			p.t.Errorf("a service ended: %v", err)
		}
	}()
	stop = func() { cancel(); <-ended }
	p.t.Cleanup(stop)
	return stop
}

// all stops several services at once.
func all(stops []func()) {
	done := make(chan struct{})
	for _, stop := range stops {
		go func() { stop(); done <- struct{}{} }()
	}
	for range stops {
		<-done
	}
}

// quiesce ends the claims, waits until every lease has been answered, and stops the rest.
func (p *pipeline) quiesce(conn *pgx.Conn) {
	p.t.Helper()
	all(p.claimers)
	wait.For(p.t, patience, "every lease is answered", func() bool {
		return !get[bool](p.t, conn, "SELECT EXISTS (SELECT FROM wallet_balances WHERE processing_status = 'processing' AND locked_by LIKE 'balsync:%')")
	})
	all(p.rest)
}

// fates are how many rows the writers brought to each end.
func (p *pipeline) fates() map[string]int64 {
	p.t.Helper()
	sum := map[string]int64{}
	for _, registry := range p.writers {
		families, err := registry.Gather()
		if err != nil {
			p.t.Fatal(err)
		}
		for _, family := range families {
			for _, m := range family.GetMetric() {
				key := family.GetName()
				for _, label := range m.GetLabel() {
					if label.GetName() == "fate" || label.GetName() == "reason" {
						key = label.GetValue()
					}
				}
				sum[key] += int64(m.GetCounter().GetValue())
			}
		}
	}
	return sum
}

// answer is a row that a result has a value for.
type answer struct {
	claim string
	row   uuid.UUID
}

// answers are all that were published, and since when.
func (p *pipeline) answers() map[answer]time.Time {
	p.t.Helper()
	stored, err := p.conn.JS.Stream(p.t.Context(), stream.Results)
	if err != nil {
		p.t.Fatal(err)
	}
	first := map[answer]time.Time{}
	state := stored.CachedInfo().State
	for seq := max(state.FirstSeq, 1); seq <= state.LastSeq; seq++ {
		msg, err := stored.GetMsg(p.t.Context(), seq)
		if err != nil {
			p.t.Fatal(err)
		}
		result, err := wire.DecodeResult(msg.Header.Get(wire.HeaderSchema), msg.Data)
		if err != nil {
			p.t.Fatal(err)
		}
		for i, id := range result.IDs {
			key := answer{result.Claim, id}
			if _, known := first[key]; !known && result.Raw[i] != "" {
				first[key] = msg.Time
			}
		}
	}
	return first
}

// exact fails for each row of the chain whose balance is not the ledger's at the height that is stored with it, and gives how many there are.
func (p *pipeline) exact(conn *pgx.Conn) (checked int) {
	p.t.Helper()
	rows, err := conn.Query(p.t.Context(), `SELECT w.id::text, d.address, coalesce(a.contract_address, ''), w.observed_height, w.on_chain_balance_raw,
			w.on_chain_balance_raw::numeric = w.on_chain_balance_human * 10::numeric ^ a.decimals
		FROM wallet_balances w JOIN balance_sync_assets a USING (asset_on_chain_id)
		JOIN balance_sync_addresses d ON d.wallet_id = w.wallet_id AND d.active AND (d.chain_id IS NULL OR d.chain_id = a.chain_id)
		WHERE w.observed_height IS NOT NULL`)
	if err != nil {
		p.t.Fatal(err)
	}
	var id, address, contract, raw string
	var height int64
	var human bool
	_, err = pgx.ForEachRow(rows, []any{&id, &address, &contract, &height, &raw, &human}, func() error {
		checked++
		if want := balance(address, contract, height); raw != want || !human {
			p.t.Errorf("row %s has %s at height %d, the ledger says %s; human amount right: %t", id, raw, height, want, human)
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return checked
}
