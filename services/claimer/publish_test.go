package claimer

import (
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/fault"
	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// laneOf is a sweep's lane whose broker is reached through a proxy, and a claim of ten rows for it to publish.
func laneOf(t *testing.T, s *stage, bsc uuid.UUID) (*lane, *fault.Proxy, *Claimed) {
	t.Helper()
	proxy := fault.NewProxy(t, strings.TrimPrefix(s.server.URL(), "nats://"))
	conn, err := stream.Connect(t.Context(), stream.Options{URL: secret.New("nats://claimer:claimer@" + proxy.Addr()), Service: "claimer"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	m, err := newMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	s.rows(s.token(bsc, "0x1"), 10)
	store := s.store()
	c := claim(t, store, bsc, 10)
	if len(c.Rows) != 10 {
		t.Fatalf("%+v", c)
	}
	return &lane{name: wire.Sweep, chain: s.config.Chains[0], id: bsc, config: s.config, store: store, conn: conn, metrics: m,
		process: service.Process{Name: "claimer", Version: "test", Instance: "test"}, log: zerolog.Nop(), rest: pause}, proxy, c
}

func TestAPublishedClaimKeepsItsLease(t *testing.T) {
	s, bsc := newStage(t)
	l, _, c := laneOf(t, s, bsc)
	for range 2 { // the second time it is there already
		if err := l.deliver(t.Context(), t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if list, _ := s.claims(wire.Sweep); len(list) != 1 || list[0].Name != c.Name {
		t.Errorf("stored %+v", list)
	}
	for _, id := range c.IDs() {
		s.want(id, held(c.Name))
	}
}

func TestAClaimThatCannotBePublishedIsGivenBack(t *testing.T) {
	s, bsc := newStage(t)
	l, _, c := laneOf(t, s, bsc)
	s.server.Stop()
	if err := l.deliver(t.Context(), t.Context(), c); err == nil {
		t.Fatal("delivered to nobody")
	}
	for _, id := range c.IDs() {
		s.want(id, free, "due_at <= now()", "error_count = 0")
	}
}

// A publish whose answer is lost was stored all the same: the next try must not store it twice.
func TestAClaimWhoseAnswerIsLostIsStoredOnce(t *testing.T) {
	s, bsc := newStage(t)
	l, proxy, c := laneOf(t, s, bsc)
	l.config.Patience = patience
	proxy.Deafen()
	delivered := make(chan error, 1)
	go func() { delivered <- l.deliver(t.Context(), t.Context(), c) }()
	wait.For(t, patience, "the claim is stored", func() bool { list, _ := s.claims(wire.Sweep); return len(list) > 0 })
	proxy.Cut()
	if err := <-delivered; err != nil {
		t.Fatal(err)
	}
	if list, _ := s.claims(wire.Sweep); len(list) != 1 {
		t.Errorf("stored %d times", len(list))
	}
}

// If the answers never come, the rows are given back although the claim is there: its results will find that they are not held.
func TestAClaimOfUnknownOutcomeIsGivenBackUnderItsName(t *testing.T) {
	s, bsc := newStage(t)
	l, proxy, c := laneOf(t, s, bsc)
	l.config.Patience = time.Second
	proxy.Deafen()
	if err := l.deliver(t.Context(), t.Context(), c); err == nil {
		t.Fatal("delivered without an answer")
	}
	if list, _ := s.claims(wire.Sweep); len(list) != 1 {
		t.Errorf("stored %d times", len(list))
	}
	for _, id := range c.IDs() {
		s.want(id, free)
	}
}

func TestAClaimIsNotPublishedPastItsLease(t *testing.T) {
	s, bsc := newStage(t)
	l, _, c := laneOf(t, s, bsc)
	c.Deadline = time.Now().Add(-time.Second)
	if err := l.deliver(t.Context(), t.Context(), c); err == nil {
		t.Fatal("published")
	}
	if list, _ := s.claims(wire.Sweep); len(list) != 0 {
		t.Errorf("stored %+v", list)
	}
}

func TestTextsAreSentClean(t *testing.T) {
	c := &Claimed{Name: "balsync:test:1", Rows: []Row{
		{Address: strings.Repeat("é", 200), Asset: wire.Asset{Contract: "<script>\x00"}, Height: 5},
		{Address: "0xabc", Asset: wire.Asset{Contract: "<script>\x00"}, Height: 9},
	}}
	claim := claimOf(c, chain.Config{Name: "bsc", Family: chain.EVM}, wire.Fast)
	if len(claim.Assets) != 1 || claim.MaxHeight != 9 || claim.Addresses[1] != "0xabc" {
		t.Errorf("%+v", claim)
	}
	for _, text := range []string{claim.Addresses[0], claim.Assets[0].Contract} {
		if text != wire.CleanText(text) || len(text) > wire.MaxText {
			t.Errorf("%q is not clean", text)
		}
	}
}
