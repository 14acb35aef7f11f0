package claimer

import (
	"context"
	"io"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/natsdev"
	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// stage is a claimer with a real database and a real broker.
type stage struct {
	*database
	server *natsdev.Server
	conn   *stream.Conn
	config Config
	health *service.Health
	user   string // the database role that the claimer runs as
	ended  chan error
	stop   context.CancelFunc
}

// newStage prepares everything but the claimer, for the chain bsc.
func newStage(t *testing.T) (*stage, uuid.UUID) {
	t.Helper()
	chains := []chain.Config{{Name: "bsc", Family: chain.EVM, ChainID: 56, BlockTime: time.Second}}
	s := &stage{database: newDatabase(t), server: guard(t, chains), health: service.NewHealth()}
	bsc := s.chain("bsc")
	url, user := s.role()
	s.user = user
	s.config = Config{Database: secret.New(url), Broker: stream.Options{URL: secret.New(s.server.As("claimer", "claimer")), Service: "claimer"}, Chains: chains,
		BatchSize: 100, Lease: time.Minute, Window: 50_000, PassPace: 50 * time.Millisecond, FastPoll: 20 * time.Millisecond, FastRows: 50, Messages: 64,
		Patience: 2 * time.Second, ChainPoll: 50 * time.Millisecond, OrphanPace: 50 * time.Millisecond}
	var err error
	if s.conn, err = stream.Connect(t.Context(), stream.Options{URL: secret.New(s.server.URL()), Service: "test"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.conn.Close)
	s.provision()
	return s, bsc
}

// guard is a broker on which every program has its own user, as in production; its password is its name. Who gives none is the test.
func guard(t testing.TB, chains []chain.Config) *natsdev.Server {
	t.Helper()
	users := append(stream.Users(chains), stream.User{Name: "test", Publish: []string{">"}, Subscribe: []string{">"}})
	return natsdev.RunWith(t, stream.AccountsConfig(users, func(u stream.User) string { return stream.PasswordText(u.Name) })+"no_auth_user: test\n")
}

func (s *stage) provision() {
	s.t.Helper()
	settings := stream.DefaultSettings()
	settings.ClaimBytes, settings.ResultBytes, settings.LetterBytes = 64<<20, 64<<20, 16<<20
	plan, err := stream.NewPlan(s.config.Chains, settings)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := plan.Provision(s.t.Context(), s.conn.JS); err != nil {
		s.t.Fatal(err)
	}
}

// run starts the claimer; it is stopped at the end of the test at the latest.
func (s *stage) run() {
	s.t.Helper()
	process := service.Process{Version: "test", Instance: "test", Log: zerolog.New(io.Discard), Metrics: prometheus.NewRegistry(), Health: s.health, Scrub: secret.NewScrubber()}.As("claimer")
	ctx, stop := context.WithCancel(s.t.Context())
	s.stop, s.ended = stop, make(chan error, 1)
	go func() { s.ended <- Run(ctx, s.config, process) }()
	s.t.Cleanup(s.halt)
}

// drain acks every claim of the sweep, as a fetcher and a writer with nothing to do would: the gate lets no more be unfinished than is seen to drain.
func (s *stage) drain() {
	source := stream.Source{Stream: stream.Claims, Durable: stream.FetchDurable("evm", "bsc", wire.Sweep), Slots: 8, Wait: 200 * time.Millisecond}
	ctx, stop := context.WithCancel(s.t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- s.conn.Pull(ctx, ctx, source, func(_ context.Context, msg jetstream.Msg) { _ = msg.Ack() }) // one that is lost comes again
	}()
	s.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			s.t.Error(err)
		}
	})
}

// halt stops the claimer and waits until it has ended.
func (s *stage) halt() {
	s.stop()
	if s.ended == nil {
		return
	}
	if err := <-s.ended; err != nil {
		s.t.Errorf("Run: %v", err)
	}
	s.ended = nil
}

// claims are those that the broker has of a lane, decoded, with their messages.
func (s *stage) claims(lane wire.Lane) (list []*wire.Claim, messages []*jetstream.RawStreamMsg) {
	s.t.Helper()
	stored, err := s.conn.JS.Stream(s.t.Context(), stream.Claims)
	if err != nil {
		s.t.Fatal(err)
	}
	for seq := max(stored.CachedInfo().State.FirstSeq, 1); seq <= stored.CachedInfo().State.LastSeq; seq++ {
		msg, err := stored.GetMsg(s.t.Context(), seq)
		if err != nil {
			s.t.Fatal(err)
		}
		if msg.Subject != wire.ClaimSubject("evm", "bsc", lane) {
			continue
		}
		claim, err := wire.DecodeClaim(msg.Header.Get(wire.HeaderSchema), msg.Data)
		if err != nil {
			s.t.Fatal(err)
		}
		list, messages = append(list, claim), append(messages, msg)
	}
	return list, messages
}

// claimed counts the rows of a lane's claims.
func (s *stage) claimed(lane wire.Lane) (rows int) {
	list, _ := s.claims(lane)
	for _, c := range list {
		rows += len(c.IDs)
	}
	return rows
}

func TestDueRowsBecomeClaimsOnce(t *testing.T) {
	s, bsc := newStage(t)
	asset := s.token(bsc, "0x1")
	ids := s.rows(asset, 10)
	s.drain()
	s.run()
	wait.For(t, patience, "all rows are claimed", func() bool { return s.claimed(wire.Sweep) == 10 })
	list, messages := s.claims(wire.Sweep)
	seen := map[uuid.UUID]bool{}
	for i, c := range list {
		left, err := strconv.Atoi(messages[i].Header.Get(wire.HeaderLeaseLeft))
		if err != nil || left <= 0 || left > 55_000 {
			t.Errorf("%d ms of a lease of a minute are left after the margin (%v)", left, err)
		}
		if messages[i].Header.Get("Nats-Msg-Id") != c.Name || c.Chain != "bsc" || c.Family != "evm" || c.Lane != wire.Sweep || len(c.Assets) != 1 {
			t.Errorf("claim %+v of message %v", c, messages[i].Header)
		}
		for row, id := range c.IDs {
			if seen[id] {
				t.Errorf("row %v is in two claims", id)
			}
			seen[id] = true
			s.want(id, held(c.Name))
			if want := get[string](s.database, "SELECT address FROM wallets w JOIN wallet_balances b ON b.wallet_id = w.id WHERE b.id = $1", id); c.Addresses[row] != want {
				t.Errorf("row %v reads %s, want %s", id, c.Addresses[row], want)
			}
			if row > 0 && s.seq(id) < s.seq(c.IDs[row-1]) {
				t.Errorf("claim %s is not in the order of the sweep", c.Name)
			}
		}
	}
	for _, id := range ids {
		if !seen[id] {
			t.Errorf("row %v is in no claim", id)
		}
	}
}

func TestNoAnswerFromTheBrokerMeansNoLeases(t *testing.T) {
	s, bsc := newStage(t)
	if err := s.conn.JS.DeleteConsumer(t.Context(), stream.Results, stream.WriteDurable("evm", "bsc")); err != nil {
		t.Fatal(err)
	}
	ids := s.rows(s.token(bsc, "0x1"), 10)
	s.drain()
	s.run()
	wait.For(t, patience, "the claimer says that a consumer is missing", func() bool {
		_, states := s.health.Ready()
		return states["claimer.nats.bsc"] != "ok" && states["claimer.nats.bsc"] != "" && states["claimer.nats.bsc"] != "not checked yet"
	})
	for _, id := range ids {
		s.want(id, free)
	}
	s.provision()
	wait.For(t, patience, "the rows are claimed once it is there", func() bool { return s.claimed(wire.Sweep) == 10 })
}

func TestAFullStreamGivesTheRowsBackAtOnce(t *testing.T) {
	s, bsc := newStage(t)
	stored, err := s.conn.JS.Stream(t.Context(), stream.Claims)
	if err != nil {
		t.Fatal(err)
	}
	config := stored.CachedInfo().Config
	config.Discard, config.MaxMsgs = jetstream.DiscardNew, 1
	if _, err := s.conn.JS.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	s.rows(s.token(bsc, "0x1"), 30)
	s.drain()
	s.run()
	wait.For(t, patience, "one claim is stored and the next refused", func() bool { return s.claimed(wire.Sweep) > 0 })
	// The first claim's rows stay leased; whatever was leased after it must come back within a moment, again and again.
	wait.For(t, patience, "nothing is leased without a claim", func() bool {
		return get[int](s.database, "SELECT count(*)::int FROM wallet_balances WHERE processing_status = 'processing'") == s.claimed(wire.Sweep)
	})
	s.halt()
	if n := get[int](s.database, "SELECT count(*)::int FROM wallet_balances WHERE processing_status = 'processing'"); n != s.claimed(wire.Sweep) {
		t.Errorf("%d rows are leased, claims hold %d", n, s.claimed(wire.Sweep))
	}
}

func TestAStopLeavesNoRowLeasedWithoutAClaim(t *testing.T) {
	s, bsc := newStage(t)
	s.config.Messages = 10_000
	s.rows(s.token(bsc, "0x1"), 2000)
	s.drain()
	s.run()
	wait.For(t, patience, "claims are under way", func() bool { return s.claimed(wire.Sweep) > 0 })
	s.halt()
	if leased := get[int](s.database, "SELECT count(*)::int FROM wallet_balances WHERE processing_status = 'processing'"); leased != s.claimed(wire.Sweep) {
		t.Errorf("%d rows are leased, claims hold %d", leased, s.claimed(wire.Sweep))
	}
}

func TestAFullSweepDoesNotDelayTheFastLane(t *testing.T) {
	s, bsc := newStage(t)
	asset := s.token(bsc, "0x1")
	s.rows(asset, 500)
	s.run()
	wait.For(t, patience, "the sweep has leased what may be unfinished", func() bool { return s.claimed(wire.Sweep) > 0 })
	asked := s.row(asset) // the sweep is closed now: nobody reads its claims
	s.set("priority = 2", asked)
	claims := func(lane wire.Lane) bool {
		list, _ := s.claims(lane)
		return slices.ContainsFunc(list, func(c *wire.Claim) bool { return slices.Contains(c.IDs, asked) })
	}
	// Leased is not yet published.
	wait.For(t, patience, "the row that was asked for is in a claim", func() bool { return claims(wire.Fast) || claims(wire.Sweep) })
	if !claims(wire.Fast) {
		t.Error("it did not come by the fast lane")
	}
}

func TestInactiveAndUnknownChainsAreLeftAlone(t *testing.T) {
	s, bsc := newStage(t)
	s.do("UPDATE chains SET is_active = false WHERE id = $1", bsc)
	s.config.Chains = append(s.config.Chains, chain.Config{Name: "nowhere", Family: chain.EVM, ChainID: 5, BlockTime: time.Second})
	s.provision()
	ids := s.rows(s.token(bsc, "0x1"), 10)
	other := s.row(s.token(s.chain("unconfigured"), "0x1"))
	s.drain()
	s.run()
	wait.For(t, patience, "the claimer has looked and is ready", func() bool { ready, _ := s.health.Ready(); return ready })
	for _, id := range append(ids, other) {
		s.want(id, free)
	}
	s.do("UPDATE chains SET is_active = true WHERE id = $1", bsc)
	wait.For(t, patience, "the chain is claimed once it is active", func() bool { return s.claimed(wire.Sweep) == 10 })
	s.do("UPDATE chains SET is_active = false WHERE id = $1", bsc)
	s.want(other, free)
}

func TestRowsWithoutAChainJoinItOrBackOff(t *testing.T) {
	s, bsc := newStage(t)
	known, lost := s.row(s.token(bsc, "0x1")), s.row(s.token(bsc, "0x2"))
	s.do("ALTER TABLE wallet_balances DISABLE TRIGGER ALL")
	s.set("chain_id = NULL", known)
	s.set("chain_id = NULL, asset_on_chain_id = gen_random_uuid()", lost)
	s.do("ALTER TABLE wallet_balances ENABLE TRIGGER ALL")
	s.run()
	wait.For(t, patience, "the row whose asset is known is claimed", func() bool { return s.is(known, "processing_status = 'processing'") })
	wait.For(t, patience, "the other has an error", func() bool { return s.is(lost, "last_error = 'no_target' AND due_at > now() AND error_count = 1") })
	s.want(lost, "processing_status = 'idle'", "chain_id IS NULL")
}
