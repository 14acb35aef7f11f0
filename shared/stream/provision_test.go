package stream_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/natsdev"
	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
)

func TestProvisionMakesThePlanAndThenChangesNothing(t *testing.T) {
	conn := connect(t, natsdev.Run(t).URL())
	plan := planned(t, stream.DefaultSettings(), bsc, chain.Config{Name: "tron", Family: chain.TRON})
	var want []stream.Change
	for _, s := range plan.Streams {
		want = append(want, stream.Change{Kind: "stream", Name: s.Name, Made: true})
	}
	for _, c := range plan.Consumers {
		want = append(want, stream.Change{Kind: "consumer", Name: c.Config.Durable, Made: true})
	}
	if diff := cmp.Diff(want, provision(t, conn, plan)); diff != "" {
		t.Errorf("first run: %s", diff)
	}
	if again := provision(t, conn, plan); len(again) != 0 {
		t.Errorf("the second run changed %v", again)
	}
}

func TestProvisionBringsBackWhatWasChanged(t *testing.T) {
	_, conn := ready(t)
	plan := planned(t, quick(), bsc)
	streams := map[string]func(*jetstream.StreamConfig){
		"age":        func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour },
		"size":       func(c *jetstream.StreamConfig) { c.MaxBytes = 1 << 20 },
		"messages":   func(c *jetstream.StreamConfig) { c.MaxMsgs, c.Discard = 100, jetstream.DiscardNew },
		"by subject": func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 0 },
		"window":     func(c *jetstream.StreamConfig) { c.Duplicates = time.Second },
		"subjects":   func(c *jetstream.StreamConfig) { c.Subjects = append(c.Subjects, "claims.more") },
		"number":     func(c *jetstream.StreamConfig) { c.Metadata = nil },
	}
	for name, spoil := range streams {
		drifted := plan.Streams[0]
		spoil(&drifted)
		if _, err := conn.JS.UpdateStream(within(t, patience), drifted); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff([]stream.Change{{Kind: "stream", Name: stream.Claims}}, provision(t, conn, plan)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	consumers := map[string]func(*jetstream.ConsumerConfig){
		"ack wait":   func(c *jetstream.ConsumerConfig) { c.AckWait = time.Minute },
		"back off":   func(c *jetstream.ConsumerConfig) { c.BackOff = []time.Duration{time.Second, time.Minute} },
		"deliveries": func(c *jetstream.ConsumerConfig) { c.MaxDeliver = -1 },
		"in flight":  func(c *jetstream.ConsumerConfig) { c.MaxAckPending = 1 },
		"filter":     func(c *jetstream.ConsumerConfig) { c.FilterSubject = "claims.evm.other.sweep" },
		"threshold":  func(c *jetstream.ConsumerConfig) { c.InactiveThreshold = time.Hour },
		"number":     func(c *jetstream.ConsumerConfig) { c.Metadata = nil },
	}
	for name, spoil := range consumers {
		drifted := plan.Consumers[0].Config
		spoil(&drifted)
		if _, err := conn.JS.UpdateConsumer(within(t, patience), stream.Claims, drifted); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff([]stream.Change{{Kind: "consumer", Name: durable}}, provision(t, conn, plan)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if again := provision(t, conn, plan); len(again) != 0 {
		t.Errorf("another run changed %v", again)
	}
}

func TestWhatCannotBeChangedInPlaceIsAnErrorThatNamesIt(t *testing.T) {
	plan := planned(t, quick(), bsc)
	t.Run("stream", func(t *testing.T) {
		conn := connect(t, natsdev.Run(t).URL())
		wrong := plan.Streams[0]
		wrong.Storage = jetstream.MemoryStorage
		if _, err := conn.JS.CreateStream(within(t, patience), wrong); err != nil {
			t.Fatal(err)
		}
		if _, err := plan.Provision(within(t, patience), conn.JS); err == nil || !strings.Contains(err.Error(), "provision stream CLAIMS: ") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("consumer", func(t *testing.T) {
		_, conn := ready(t)
		wrong := plan.Consumers[0].Config
		wrong.DeliverPolicy = jetstream.DeliverNewPolicy
		if err := conn.JS.DeleteConsumer(within(t, patience), stream.Claims, durable); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.JS.CreateConsumer(within(t, patience), stream.Claims, wrong); err != nil {
			t.Fatal(err)
		}
		if _, err := plan.Provision(within(t, patience), conn.JS); err == nil || !strings.Contains(err.Error(), "provision consumer "+durable) {
			t.Errorf("error %v", err)
		}
	})
}

// lose deletes the claims' consumer, provisions again and gives what the new one starts with.
func lose(t *testing.T, conn *stream.Conn, plan stream.Plan) string {
	t.Helper()
	if err := conn.JS.DeleteConsumer(within(t, patience), stream.Claims, durable); err != nil {
		t.Fatal(err)
	}
	provision(t, conn, plan)
	consumer, err := conn.Bind(within(t, patience), stream.Claims, durable)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := consumer.Next(jetstream.FetchMaxWait(patience))
	if err != nil {
		t.Fatal(err)
	}
	return string(msg.Data())
}

func TestAConsumerMadeAgainStartsAtRecentHistory(t *testing.T) {
	t.Parallel()
	_, conn := ready(t)
	plan := planned(t, quick(), bsc)
	publish(t, conn, "oldest", "old")
	if first := lose(t, conn, plan); first != "oldest" {
		t.Errorf("all history is recent, and the consumer starts at %q", first)
	}

	state := func() (now, last time.Time) {
		s, err := conn.JS.Stream(within(t, patience), stream.Claims)
		if err != nil {
			t.Fatal(err)
		}
		return s.CachedInfo().TimeStamp, s.CachedInfo().State.LastTime
	}
	const gap = time.Second
	wait.For(t, patience, "history has a gap", func() bool { now, last := state(); return now.Sub(last) > gap })
	publish(t, conn, "new")
	now, last := state()
	plan.Recent = now.Sub(last) + gap*9/10 // recent begins in the gap, with time for provisioning to run
	if first := lose(t, conn, plan); first != "new" {
		t.Errorf("the consumer starts at %q", first)
	}
	if changes := provision(t, conn, plan); len(changes) != 0 {
		t.Errorf("the run after a reset changed %v", changes)
	}
	plan.Recent = 0
	if err := conn.JS.DeleteConsumer(within(t, patience), stream.Claims, durable); err != nil {
		t.Fatal(err)
	}
	provision(t, conn, plan)
	if pending := info(t, conn).NumPending; pending != 0 {
		t.Errorf("nothing is recent, and %d messages are pending", pending)
	}
}

func TestWatchMakesLostStreamsAndConsumersAgain(t *testing.T) {
	_, conn := ready(t)
	plan := planned(t, quick(), bsc)
	rounds := make(chan []stream.Change, 1000)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		plan.Watch(ctx, conn.JS, 20*time.Millisecond, func(changes []stream.Change, err error) {
			if err == nil && len(changes) > 0 {
				rounds <- changes
			}
		})
	}()
	if err := conn.JS.DeleteStream(within(t, patience), stream.Claims); err != nil {
		t.Fatal(err)
	}
	made := map[string]bool{}
	for len(made) < 3 { // a round may fall between the stream and its consumers
		for _, c := range receive(t, rounds, "the stream is there again") {
			made[c.Name] = c.Made
		}
	}
	if !made[stream.Claims] || !made[durable] {
		t.Errorf("made %v", made)
	}
	stop()
	receive(t, ended, "watch ends with its context")
}
