package stream_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/nats-io/nats.go/jetstream"
)

// puller runs Pull until the test ends or stop is called, which waits for it.
type puller struct {
	stop    func()
	reports chan error
}

func pull(t *testing.T, conn *stream.Conn, slots int, handle func(context.Context, jetstream.Msg)) puller {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	p := puller{reports: make(chan error, 1000)}
	done := make(chan error, 1)
	source := stream.Source{Stream: stream.Claims, Durable: durable, Slots: slots, Wait: 500 * time.Millisecond, Report: func(err error) { p.reports <- err }}
	go func() { done <- conn.Pull(ctx, t.Context(), source, handle) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := receive(t, done, "pull ends"); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(p.stop)
	return p
}

// usable waits for the report that the source can be used.
func (p puller) usable(t *testing.T) {
	t.Helper()
	for receive(t, p.reports, "the source is usable") != nil {
	}
}

func TestNoMoreMessagesAreInWorkThanSlots(t *testing.T) {
	t.Parallel()
	_, conn := ready(t)
	publish(t, conn, "1", "2", "3", "4", "5", "6", "7", "8", "9", "10")
	var inWork, most, handled atomic.Int32
	gate := make(chan struct{})
	pull(t, conn, 3, func(_ context.Context, msg jetstream.Msg) {
		if now := inWork.Add(1); now > most.Load() {
			most.Store(now)
		}
		<-gate
		inWork.Add(-1)
		handled.Add(1)
		if err := msg.Ack(); err != nil {
			t.Error(err)
		}
	})
	wait.For(t, patience, "every slot is taken", func() bool { return inWork.Load() == 3 })
	if held := info(t, conn).NumAckPending; held != 3 {
		t.Errorf("%d messages are held by this instance, want no more than it works on", held)
	}
	for range 10 {
		gate <- struct{}{}
	}
	settled(t, conn)
	if most.Load() != 3 || handled.Load() != 10 {
		t.Errorf("%d in work at once, %d handled; want 3 and 10", most.Load(), handled.Load())
	}
}

func TestSlowWorkIsNotDeliveredAgain(t *testing.T) {
	t.Parallel()
	_, conn := ready(t)
	publish(t, conn, "a", "b")
	pull(t, conn, 2, func(_ context.Context, msg jetstream.Msg) {
		<-time.After(3 * quick().ClaimAckWait)
		if err := msg.Ack(); err != nil {
			t.Error(err)
		}
	})
	settled(t, conn)
	if delivered := info(t, conn).Delivered.Consumer; delivered != 2 {
		t.Errorf("%d deliveries of 2 messages", delivered)
	}
}

// counter handles messages and remembers which.
type counter struct {
	t    *testing.T
	mu   sync.Mutex // guards seen
	seen map[string]int
}

func (c *counter) handle(_ context.Context, msg jetstream.Msg) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[string(msg.Data())]++
	if err := msg.Ack(); err != nil {
		c.t.Error(err)
	}
}

func (c *counter) has(data string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[data] > 0
}

func TestPullWaitsForItsConsumerAndSaysWhy(t *testing.T) {
	t.Parallel()
	_, conn := ready(t)
	if err := conn.JS.DeleteConsumer(within(t, patience), stream.Claims, durable); err != nil {
		t.Fatal(err)
	}
	count := &counter{t: t, seen: map[string]int{}}
	p := pull(t, conn, 2, count.handle)
	if err := receive(t, p.reports, "a report"); err == nil || !strings.Contains(err.Error(), "run `balsync provision`") {
		t.Errorf("report %v", err)
	}
	provision(t, conn, planned(t, quick(), bsc))
	p.usable(t)
	publish(t, conn, "a")
	wait.For(t, patience, "the message is handled", func() bool { return count.has("a") })
}

func TestPullResumesWhenItsConsumerWasDeletedAndMadeAgain(t *testing.T) {
	t.Parallel()
	_, conn := ready(t)
	count := &counter{t: t, seen: map[string]int{}}
	p := pull(t, conn, 2, count.handle)
	p.usable(t)
	publish(t, conn, "before")
	wait.For(t, patience, "a message is handled", func() bool { return count.has("before") })
	if err := conn.JS.DeleteConsumer(within(t, patience), stream.Claims, durable); err != nil {
		t.Fatal(err)
	}
	if err := receive(t, p.reports, "the loss is reported"); err == nil {
		t.Error("reported as usable")
	}
	provision(t, conn, planned(t, quick(), bsc))
	publish(t, conn, "after")
	wait.For(t, patience, "the next message is handled", func() bool { return count.has("after") })
}

func TestPullResumesAfterABrokerRestart(t *testing.T) {
	t.Parallel()
	server, conn := ready(t)
	count := &counter{t: t, seen: map[string]int{}}
	pull(t, conn, 2, count.handle).usable(t)
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	publish(t, conn, "after")
	wait.For(t, patience, "the message is handled", func() bool { return count.has("after") })
}

func TestAStopWaitsForWorkInHandAndGivesTheRestBack(t *testing.T) {
	t.Parallel()
	_, conn := ready(t)
	ctx, cancel := context.WithCancel(t.Context())
	gate, started, ended := make(chan struct{}), make(chan struct{}, 2), make(chan error, 1)
	source := stream.Source{Stream: stream.Claims, Durable: durable, Slots: 2}
	go func() {
		ended <- conn.Pull(ctx, t.Context(), source, func(work context.Context, msg jetstream.Msg) {
			started <- struct{}{}
			<-gate
			if work.Err() != nil {
				t.Error("work in hand was cut off")
			}
			if err := msg.Ack(); err != nil {
				t.Error(err)
			}
		})
	}()
	publish(t, conn, "in hand")
	receive(t, started, "the message is in hand")
	cancel()
	publish(t, conn, "late") // into the open pull: it must not wait there until AckWait
	msg := next(t, conn)
	if meta, err := msg.Metadata(); err != nil || string(msg.Data()) != "late" || meta.NumDelivered > 2 {
		t.Errorf("another instance got %q at delivery %d, %v", msg.Data(), meta.NumDelivered, err)
	}
	select {
	case <-ended:
		t.Error("pull ended before its handler")
	default:
	}
	close(gate)
	if err := receive(t, ended, "pull ends"); err != nil {
		t.Error(err)
	}
	if len(started) != 0 {
		t.Error("another message was taken in hand while stopping")
	}
	wait.For(t, patience, "the late message alone is in hand", func() bool { return info(t, conn).NumAckPending == 1 })
}

// next is what another instance gets.
func next(t *testing.T, conn *stream.Conn) jetstream.Msg {
	t.Helper()
	consumer, err := conn.Bind(within(t, patience), stream.Claims, durable)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := consumer.Next(jetstream.FetchMaxWait(patience))
	if err != nil {
		t.Fatal(err)
	}
	return msg
}
