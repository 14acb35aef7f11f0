package fetch_test

import (
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/go-cmp/cmp"
)

func TestAClaimIsReadItsResultPublishedAndItsMessageAcked(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	r := &reader{read: seven}
	b.run(r)
	c := claimOf("balsync:h:1", 3)
	b.send(c, time.Minute)
	b.answered(c)

	messages := b.stored(stream.Results)
	if len(messages) != 1 {
		t.Fatalf("%d messages, want 1", len(messages))
	}
	header := messages[0].Header
	got, err := wire.DecodeResult(header.Get(wire.HeaderSchema), messages[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	want := &wire.Result{Claim: c.Name, Family: "evm", Chain: "bsc", Endpoint: "node-a", Route: "batch", Height: 42, Parent: "0xparent", Finality: "latest-1",
		ObservedAt: proof.ObservedAt, Tip: 43, Agree: 2, Assets: c.Assets, IDs: c.IDs, Wallets: c.Wallets, AssetOf: c.AssetOf, Epochs: c.Epochs, Raw: []string{"7", "7", "7"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if messages[0].Subject != "results.evm.bsc" || header.Get(wire.HeaderClaim) != c.Name || header.Get(wire.HeaderProducer) != "fetcher-evm@v1/i" {
		t.Errorf("subject %s, headers %v", messages[0].Subject, header)
	}
	if r.least != c.MaxHeight {
		t.Errorf("the reader was asked for height %d at least, want %d", r.least, c.MaxHeight)
	}
	if delivered := b.consumer(wire.Sweep).Delivered.Consumer; delivered != 1 {
		t.Errorf("%d deliveries", delivered)
	}
}

func TestAClaimPastItsDeadlineCostsNoCall(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	r := &reader{read: seven}
	late, good := claimOf("balsync:h:late", 2), claimOf("balsync:h:good", 1)
	b.send(late, time.Millisecond)
	b.send(claimOf("balsync:h:never", 2), -time.Second)
	b.send(good, time.Minute)
	wait.For(t, patience, "the first claim's time is over", func() bool {
		s, err := b.JS.Stream(within(t), stream.Claims)
		return err == nil && s.CachedInfo().TimeStamp.Sub(s.CachedInfo().State.FirstTime) > time.Millisecond
	})
	b.run(r)
	b.answered(good)
	if diff := cmp.Diff([]int{1}, r.called()); diff != "" {
		t.Errorf("calls: %s", diff)
	}
	if answers := b.answers(); len(answers) != 1 {
		t.Errorf("%d rows answered, want the good one only", len(answers))
	}
}

// A clock that is an hour ahead or behind must not matter: only the broker's times are compared. Here the broker's is moved, which is
// the same to the loop.
func TestAClaimsAgeIsJudgedByTheBrokersClock(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	conn, r := connect(t, b.server.URL()), &reader{read: seven}
	b.start(conn, config, r, newProcess(nil))
	first := claimOf("balsync:h:1", 1)
	b.send(first, time.Minute)
	b.answered(first) // the loop has read the clock

	conn.Clock.Observe(time.Now().Add(time.Hour), time.Now(), time.Now())
	b.send(claimOf("balsync:h:2", 2), time.Minute)
	b.settled()
	if calls := r.called(); len(calls) != 1 {
		t.Errorf("calls %v: a claim that is an hour old by the broker's clock was read", calls)
	}
	conn.Clock.Observe(time.Now().Add(-time.Hour), time.Now(), time.Now())
	third := claimOf("balsync:h:3", 3)
	b.send(third, time.Millisecond)
	b.answered(third)
}

func TestWhatCannotBeReadIsADeadLetterAndHoldsNothingUp(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	r := &reader{read: seven}
	b.run(r)
	foreign, family := claimOf("foreign", 1), claimOf("family", 1)
	foreign.Chain, family.Family = "eth", "tron"
	encode := func(c *wire.Claim) []byte {
		data, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	good := claimOf("balsync:h:good", 1)
	b.sendRaw("garbage", wire.Sweep, wire.SchemaClaims, []byte("{garbage"), time.Minute)
	b.sendRaw("schema", wire.Sweep, "claims/2", encode(claimOf("schema", 1)), time.Minute)
	b.sendRaw("foreign", wire.Sweep, wire.SchemaClaims, encode(foreign), time.Minute)
	b.sendRaw("family", wire.Sweep, wire.SchemaClaims, encode(family), time.Minute)
	b.send(good, time.Minute)
	b.answered(good)
	if diff := cmp.Diff([]int{1}, r.called()); diff != "" {
		t.Errorf("calls: %s", diff)
	}
	reasons := map[string]string{}
	for _, letter := range b.stored(stream.DeadLetters) {
		reasons[letter.Header.Get(wire.HeaderMsgID)] = letter.Header.Get(wire.HeaderReason)
	}
	want := map[string]string{
		"garbage": "malformed message: invalid character 'g' looking for beginning of object key string",
		"schema":  `unknown schema "claims/2", this version reads claims/1`,
		"foreign": "claim names another chain than its subject", "family": "claim names another chain than its subject",
	}
	if diff := cmp.Diff(want, reasons); diff != "" {
		t.Error(diff)
	}
	if delivered := b.consumer(wire.Sweep).Delivered.Consumer; delivered != 5 {
		t.Errorf("%d deliveries of 5 messages", delivered)
	}
}

func TestTheSecondDeliveryIsReadInPiecesThatAreAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	c := claimOf("balsync:h:1", 60)
	b.send(c, time.Minute)
	b.lose()
	g := newGated()
	b.run(g)
	sizes := map[int]int{}
	for piece := range 3 {
		sizes[<-g.entered]++
		want := 0
		for size, n := range sizes {
			want += size * n
		}
		g.gate <- struct{}{}
		wait.For(t, patience, "the piece is answered before the next is read", func() bool { return len(b.answers()) == want })
		if piece < 2 && b.consumer(wire.Sweep).NumAckPending != 1 {
			t.Error("acked before every row was answered")
		}
	}
	if diff := cmp.Diff(map[int]int{25: 2, 10: 1}, sizes); diff != "" {
		t.Errorf("pieces: %s", diff)
	}
	ids := map[string]bool{}
	for _, a := range b.answered(c) {
		ids[a.id] = true
	}
	if diff := cmp.Diff(map[string]bool{"balsync:h:1:2:0": true, "balsync:h:1:2:1": true, "balsync:h:1:2:2": true}, ids); diff != "" {
		t.Errorf("Msg-Ids: %s", diff)
	}
}

func TestTheLastDeliveryReadsNothingAndKeepsACopy(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	c := claimOf("balsync:h:1", 60)
	b.send(c, time.Minute)
	b.lose()
	b.lose()
	r := &reader{read: seven}
	b.run(r)
	if got := counts(b.answered(c)); got != "[undeliverable:60]" {
		t.Errorf("answers %s", got)
	}
	if calls := r.called(); len(calls) != 0 {
		t.Errorf("calls %v", calls)
	}
	letters := b.stored(stream.DeadLetters)
	if len(letters) != 1 {
		t.Fatalf("%d dead letters, want 1", len(letters))
	}
	copied, err := wire.DecodeClaim(letters[0].Header.Get(wire.HeaderSchema), letters[0].Data)
	if err != nil || copied.Name != c.Name || letters[0].Header.Get(wire.HeaderReason) != wire.CodeUndeliverable || letters[0].Header.Get(wire.HeaderDeliveries) != "3" {
		t.Errorf("letter of %+v, %v, %v", copied, letters[0].Header, err)
	}
}

// Two rolling restarts within one lease kill nobody, and must not make rows undeliverable.
func TestAClaimThatWasHandedBackTwiceIsReadAllTheSame(t *testing.T) {
	t.Parallel()
	b := newBrokerWith(t, 30*time.Second)
	c := claimOf("balsync:h:1", 60)
	b.send(c, time.Minute)
	for range 2 {
		if err := b.take().NakWithDelay(time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	r := &reader{read: seven}
	b.run(r)
	if got := counts(b.answered(c)); got != "[7:60]" {
		t.Errorf("answers %s", got)
	}
	if letters := b.stored(stream.DeadLetters); len(letters) != 0 {
		t.Errorf("%d dead letters", len(letters))
	}
}

func TestAFullSweepDoesNotHoldUpTheFastLane(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	g := newGated()
	b.start(connect(t, b.server.URL()), fetch.Config{SweepSlots: 1, FastSlots: 1, Patience: time.Minute}, g, newProcess(nil))
	for _, name := range []string{"1", "2", "3"} {
		b.send(claimOf(name, 2), time.Minute)
	}
	if rows := <-g.entered; rows != 2 {
		t.Fatalf("a claim of %d rows", rows)
	}
	fast := claimOf("fast", 1)
	fast.Lane = wire.Fast
	b.send(fast, time.Minute)
	if rows := <-g.entered; rows != 1 {
		t.Fatalf("a claim of %d rows: the sweep took another slot", rows)
	}
	for range 4 {
		g.gate <- struct{}{}
	}
	wait.For(t, patience, "the fast claim is answered", func() bool { return len(b.answers()[fast.IDs[0]]) == 1 })
	b.settled()
}
