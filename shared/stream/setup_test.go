package stream_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/fault"
	"github.com/balance-sync/balance-sync/devkit/natsdev"
	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// patience is far above what anything here takes: only a failing test waits for so long.
const patience = 20 * time.Second

var (
	bsc     = chain.Config{Name: "bsc", Family: chain.EVM}
	durable = stream.FetchDurable("evm", "bsc", wire.Sweep)
	subject = wire.ClaimSubject("evm", "bsc", wire.Sweep)
)

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func connect(t *testing.T, url string) *stream.Conn {
	t.Helper()
	conn, err := stream.Connect(within(t, patience), stream.Options{URL: secret.New(url), Service: "test", Instance: "1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// quick are settings with which an unanswered claim comes again after 300 ms.
func quick() stream.Settings {
	s := stream.DefaultSettings()
	s.ClaimAckWait, s.ResultAckWait = 300*time.Millisecond, 300*time.Millisecond
	return s
}

func planned(t *testing.T, s stream.Settings, chains ...chain.Config) stream.Plan {
	t.Helper()
	plan, err := stream.NewPlan(chains, s)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func provision(t *testing.T, conn *stream.Conn, plan stream.Plan) []stream.Change {
	t.Helper()
	changes, err := plan.Provision(within(t, patience), conn.JS)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

// ready is a broker that holds the plan for bsc, and a connection to it.
func ready(t *testing.T) (*natsdev.Server, *stream.Conn) {
	t.Helper()
	server := natsdev.Run(t)
	conn := connect(t, server.URL())
	provision(t, conn, planned(t, quick(), bsc))
	return server, conn
}

// behind is a connection through a proxy that can break it.
func behind(t *testing.T, server *natsdev.Server) (*fault.Proxy, *stream.Conn) {
	t.Helper()
	proxy := fault.NewProxy(t, strings.TrimPrefix(server.URL(), "nats://"))
	return proxy, connect(t, "nats://"+proxy.Addr())
}

func message(data string) *nats.Msg {
	return &nats.Msg{Subject: subject, Header: nats.Header{}, Data: []byte(data)}
}

// publish stores messages with their data as Msg-Id.
func publish(t *testing.T, conn *stream.Conn, data ...string) {
	t.Helper()
	for _, d := range data {
		if err := conn.Publish(within(t, patience), stream.Claims, d, message(d)); err != nil {
			t.Fatal(err)
		}
	}
}

// stored counts the messages of a stream.
func stored(t *testing.T, conn *stream.Conn, name string) uint64 {
	t.Helper()
	s, err := conn.JS.Stream(within(t, patience), name)
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().State.Msgs
}

func info(t *testing.T, conn *stream.Conn) *jetstream.ConsumerInfo {
	t.Helper()
	consumer, err := conn.Bind(within(t, patience), stream.Claims, durable)
	if err != nil {
		t.Fatal(err)
	}
	return consumer.CachedInfo()
}

// settled waits until no claim is pending or in hand.
func settled(t *testing.T, conn *stream.Conn) {
	t.Helper()
	wait.For(t, patience, "every message is settled", func() bool {
		i := info(t, conn)
		return i.NumPending == 0 && i.NumAckPending == 0
	})
}

// receive is the next value, or the test fails.
func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("not within %v: %s", patience, what)
		panic("unreachable")
	}
}
