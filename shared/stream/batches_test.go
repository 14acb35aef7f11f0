package stream_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
)

// batches runs Batches until the test ends and gives what each batch held, after handle saw it.
func batches(t *testing.T, conn *stream.Conn, slots int, handle func([]jetstream.Msg)) <-chan []string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan []string, 100)
	done := make(chan error, 1)
	go func() {
		done <- conn.Batches(ctx, t.Context(), stream.Source{Stream: stream.Claims, Durable: durable, Slots: slots, Wait: 500 * time.Millisecond}, func(_ context.Context, messages []jetstream.Msg) {
			handle(messages)
			var data []string
			for _, msg := range messages {
				data = append(data, string(msg.Data()))
				if err := msg.Ack(); err != nil {
					t.Error(err)
				}
			}
			got <- data
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := receive(t, done, "batches end"); err != nil {
			t.Error(err)
		}
	})
	return got
}

// backlog publishes messages and waits until the broker counts them all: it answers a pull that does not wait by that count.
func backlog(t *testing.T, conn *stream.Conn, data ...string) {
	t.Helper()
	publish(t, conn, data...)
	wait.For(t, patience, "the messages are pending", func() bool { return info(t, conn).NumPending == uint64(len(data)) })
}

func TestABatchTakesWhatIsThereInItsOrder(t *testing.T) {
	t.Parallel()
	_, conn := ready(t)
	backlog(t, conn, "1", "2", "3", "4", "5")
	got := batches(t, conn, 4, func([]jetstream.Msg) {})
	for _, want := range [][]string{{"1", "2", "3", "4"}, {"5"}} {
		if diff := cmp.Diff(want, receive(t, got, "a batch")); diff != "" {
			t.Error(diff)
		}
	}
	publish(t, conn, "6")
	if diff := cmp.Diff([]string{"6"}, receive(t, got, "a batch of one, without waiting for a second")); diff != "" {
		t.Error(diff)
	}
	settled(t, conn)
}

func TestABatchIsNoLargerThanThePullsThatTheBrokerAllows(t *testing.T) {
	t.Parallel()
	_, conn := ready(t)
	var all []string
	for i := range 40 { // a claims' consumer allows 16
		all = append(all, fmt.Sprint(i))
	}
	backlog(t, conn, all...)
	got := batches(t, conn, 1000, func([]jetstream.Msg) {})
	for _, want := range [][]string{all[:17], all[17:34], all[34:]} {
		if diff := cmp.Diff(want, receive(t, got, "a batch")); diff != "" {
			t.Error(diff)
		}
	}
}

func TestASlowBatchIsNotDeliveredAgain(t *testing.T) {
	t.Parallel()
	_, conn := ready(t)
	publish(t, conn, "1", "2", "3")
	receive(t, batches(t, conn, 3, func([]jetstream.Msg) { <-time.After(3 * quick().ClaimAckWait) }), "the batch")
	settled(t, conn)
	if delivered := info(t, conn).Delivered.Consumer; delivered != 3 {
		t.Errorf("%d deliveries of 3 messages", delivered)
	}
}

func TestBatchesGiveBackWhatArrivesWhileStopping(t *testing.T) {
	t.Parallel()
	_, conn := ready(t)
	ctx, cancel := context.WithCancel(t.Context())
	usable, done := make(chan error, 10), make(chan error, 1)
	source := stream.Source{Stream: stream.Claims, Durable: durable, Slots: 3, Report: func(err error) { usable <- err }}
	go func() {
		done <- conn.Batches(ctx, t.Context(), source, func(context.Context, []jetstream.Msg) { t.Error("taken in hand") })
	}()
	if err := receive(t, usable, "a report"); err != nil {
		t.Fatal(err)
	}
	cancel()
	publish(t, conn, "late")
	if msg := next(t, conn); string(msg.Data()) != "late" {
		t.Errorf("another instance got %q", msg.Data())
	}
	if err := receive(t, done, "batches end"); err != nil {
		t.Error(err)
	}
}

func TestBatchesResumeAfterABrokerRestart(t *testing.T) {
	t.Parallel()
	server, conn := ready(t)
	got := batches(t, conn, 3, func([]jetstream.Msg) {})
	publish(t, conn, "before")
	receive(t, got, "a batch")
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	publish(t, conn, "after")
	for batch := receive(t, got, "a batch"); !slices.Contains(batch, "after"); { // the restart may have lost the first ack
		batch = receive(t, got, "the batch after the restart")
	}
}
