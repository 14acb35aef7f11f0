package stream_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/nats-io/nats.go/jetstream"
)

func TestTheSameMsgIDIsStoredOnce(t *testing.T) {
	_, conn := ready(t)
	publish(t, conn, "a", "a", "b")
	if n := stored(t, conn, stream.Claims); n != 2 {
		t.Errorf("%d messages stored, want 2", n)
	}
}

// inBackground publishes one claim and gives the outcome when there is one.
func inBackground(ctx context.Context, conn *stream.Conn) <-chan error {
	done := make(chan error, 1)
	go func() { done <- conn.Publish(ctx, stream.Claims, "id", message("x")) }()
	return done
}

func TestPublishOutlastsAServerThatIsDown(t *testing.T) {
	t.Parallel()
	server, conn := ready(t)
	server.Stop()
	wait.For(t, patience, "the client sees that the server is gone", func() bool { return conn.Healthy() != nil })
	done := inBackground(within(t, patience), conn)
	select {
	case err := <-done:
		t.Fatalf("gave up while the server was down: %v", err)
	default:
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	if err := receive(t, done, "the publish ends"); err != nil {
		t.Fatal(err)
	}
	if n := stored(t, conn, stream.Claims); n != 1 {
		t.Errorf("%d messages stored, want 1", n)
	}
}

func TestAPublishWhoseAckWasLostIsStoredOnce(t *testing.T) {
	t.Parallel()
	server, direct := ready(t)
	proxy, conn := behind(t, server)
	proxy.Deafen()
	done := inBackground(within(t, patience), conn)
	wait.For(t, patience, "the message is stored", func() bool { return stored(t, direct, stream.Claims) == 1 })
	select {
	case err := <-done:
		t.Fatalf("ended without an ack: %v", err)
	default:
	}
	proxy.Cut()
	if err := receive(t, done, "the publish ends"); err != nil {
		t.Fatal(err)
	}
	if n := stored(t, direct, stream.Claims); n != 1 {
		t.Errorf("%d messages stored, want 1", n)
	}
}

func TestAPublishThatCanNeverSucceedIsRefusedAtOnce(t *testing.T) {
	_, conn := ready(t)
	plan := planned(t, quick(), bsc)
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, stream.ErrRefused) || !strings.Contains(err.Error(), "publish to "+subject) {
			t.Errorf("%s: error %v", what, err)
		}
	}
	refused("larger than any message", conn.Publish(within(t, patience), stream.Claims, "a", message(strings.Repeat("x", 1<<20+1))))
	refused("another stream", conn.Publish(within(t, patience), stream.Results, "a", message("x")))
	small := plan.Streams[0]
	small.MaxMsgSize = 1 << 10
	if _, err := conn.JS.UpdateStream(within(t, patience), small); err != nil {
		t.Fatal(err)
	}
	refused("larger than the stream's", conn.Publish(within(t, patience), stream.Claims, "a", message(strings.Repeat("x", 2<<10))))
	if n := stored(t, conn, stream.Claims); n != 0 {
		t.Errorf("%d messages stored, want 0", n)
	}
}

func TestAFullStreamSaysSoAtOnceAndTakesTheMessageLater(t *testing.T) {
	_, conn := ready(t)
	full := planned(t, quick(), bsc).Streams[0]
	full.MaxMsgs, full.Discard = 1, jetstream.DiscardNew
	if _, err := conn.JS.UpdateStream(within(t, patience), full); err != nil {
		t.Fatal(err)
	}
	publish(t, conn, "first")
	if err := conn.Publish(within(t, patience), stream.Claims, "second", message("x")); !errors.Is(err, stream.ErrFull) || errors.Is(err, stream.ErrRefused) {
		t.Errorf("error %v, want that the stream is full", err)
	}
	publish(t, conn, "first") // stored before: still confirmed
	provision(t, conn, planned(t, quick(), bsc))
	publish(t, conn, "second")
	if n := stored(t, conn, stream.Claims); n != 2 {
		t.Errorf("%d messages stored, want 2", n)
	}
}

func TestAPublishEndsWithItsContext(t *testing.T) {
	server, conn := ready(t)
	server.Stop()
	ctx, cancel := context.WithCancel(t.Context())
	done := inBackground(ctx, conn)
	cancel()
	if err := receive(t, done, "the publish ends"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that it was cancelled", err)
	}
}

func TestAPublishToNoStreamIsTriedUntilTheStreamIsThere(t *testing.T) {
	t.Parallel()
	_, conn := ready(t)
	if err := conn.JS.DeleteStream(within(t, patience), stream.Claims); err != nil {
		t.Fatal(err)
	}
	done := inBackground(within(t, patience), conn)
	provision(t, conn, planned(t, quick(), bsc))
	if err := receive(t, done, "the publish ends"); err != nil {
		t.Fatal(err)
	}
}

func TestPublishNamesTheSubjectWhenTimeIsUp(t *testing.T) {
	server, conn := ready(t)
	server.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := conn.Publish(ctx, stream.Claims, "a", message("x"))
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), wire.ClaimSubject("evm", "bsc", wire.Sweep)) {
		t.Errorf("error %v", err)
	}
}
