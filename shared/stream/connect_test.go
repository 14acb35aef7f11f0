package stream_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/natsdev"
	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
)

func dial(t *testing.T, url string, within time.Duration) (*stream.Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	conn, err := stream.Connect(ctx, stream.Options{URL: secret.New(url), Service: "claimer", Instance: "1"})
	if err == nil {
		t.Cleanup(conn.Close)
	}
	return conn, err
}

// nobody is an address where nothing listens.
func nobody(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return listener.Addr().String()
}

func TestConnectWithoutAServerEndsWithItsContextAndNamesTheVariable(t *testing.T) {
	t.Parallel()
	began := time.Now()
	_, err := dial(t, "nats://"+nobody(t), 700*time.Millisecond) // two tries
	if err == nil || !strings.Contains(err.Error(), "NATS_URL") || !strings.Contains(err.Error(), "connection refused") || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(began); took > patience {
		t.Errorf("took %v", took)
	}
}

func TestConnectNeverQuotesThePassword(t *testing.T) {
	for _, url := range []string{"nats://u:CANARY@" + nobody(t), "nats://u:CANARY@127.0.0.1:port", "nats://u:CANARY%zz@h", "ht tp://CANARY", "://CANARY"} {
		if _, err := dial(t, url, 100*time.Millisecond); err == nil || strings.Contains(err.Error(), "CANARY") || !strings.Contains(err.Error(), "NATS_URL") {
			t.Errorf("%s: error %v", url, err)
		}
	}
}

func TestConnectWaitsForTheServer(t *testing.T) {
	t.Parallel()
	server := natsdev.Run(t)
	server.Stop()
	connected := make(chan error, 1)
	go func() {
		_, err := dial(t, server.URL(), patience)
		connected <- err
	}()
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	if err := receive(t, connected, "the client connects"); err != nil {
		t.Error(err)
	}
}

func TestHealthyFollowsTheConnection(t *testing.T) {
	t.Parallel()
	server, conn := ready(t)
	if err := conn.Healthy(); err != nil {
		t.Error(err)
	}
	server.Stop()
	wait.For(t, patience, "not healthy without a server", func() bool {
		err := conn.Healthy()
		return err != nil && strings.Contains(err.Error(), "nats is reconnecting")
	})
	if _, err := conn.Bind(t.Context(), stream.Results, stream.WriteDurable("evm", "bsc")); err == nil || !strings.Contains(err.Error(), "nats is not connected") {
		t.Errorf("a call without a connection: %v", err)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	wait.For(t, patience, "healthy with it", func() bool { return conn.Healthy() == nil })
}

func TestCloseSendsTheLastAcks(t *testing.T) {
	server, conn := ready(t)
	publish(t, conn, "a")
	closing, err := dial(t, server.URL(), patience)
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := closing.Bind(within(t, patience), stream.Claims, durable)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := consumer.Next()
	if err != nil {
		t.Fatal(err)
	}
	if err := msg.Ack(); err != nil {
		t.Fatal(err)
	}
	closing.Close()
	if pending := info(t, conn).NumAckPending; pending != 0 {
		t.Errorf("%d acks were not sent", pending)
	}
}

// guarded is a broker where the claimer may ask for everything and publish claims, but no results.
func guarded(t *testing.T) (*natsdev.Server, *stream.Conn) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "nats.conf")
	users := `authorization { users: [ { user: admin, password: admin }, { user: claimer, password: pw, permissions: {
		publish: ["claims.>", "$JS.API.CONSUMER.INFO.CLAIMS.*"], subscribe: "_INBOX.claimer.>" } } ] }`
	if err := os.WriteFile(file, []byte(users), 0o600); err != nil {
		t.Fatal(err)
	}
	server, err := natsdev.Start(t.TempDir(), natsdev.Options{ConfigFile: file, MaxStore: 1 << 40})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	provision(t, connect(t, as(server, "admin", "admin")), planned(t, quick(), bsc))
	conn, err := dial(t, as(server, "claimer", "pw"), patience)
	if err != nil {
		t.Fatal(err)
	}
	return server, conn
}

func as(server *natsdev.Server, user, password string) string {
	return "nats://" + user + ":" + password + "@" + strings.TrimPrefix(server.URL(), "nats://")
}

func TestADeniedPermissionIsNamedWhereItLooksLikeATimeout(t *testing.T) {
	t.Parallel()
	_, conn := guarded(t)
	publish(t, conn, "allowed")
	if err := conn.Healthy(); err != nil {
		t.Errorf("before: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	msg := message("x")
	msg.Subject = wire.ResultSubject("evm", "bsc")
	err := conn.Publish(ctx, stream.Results, "id", msg)
	for what, err := range map[string]error{"publish": err, "denied": conn.Denied(), "healthy": conn.Healthy()} {
		if err == nil || !strings.Contains(err.Error(), `"results.evm.bsc"`) || !strings.Contains(strings.ToLower(err.Error()), "permissions violation") {
			t.Errorf("%s: error %v", what, err)
		}
	}
	ctx, cancel = context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := conn.Bind(ctx, stream.Results, stream.WriteDurable("evm", "bsc")); err == nil || !strings.Contains(err.Error(), "CONSUMER.INFO.RESULTS") {
		t.Errorf("bind: error %v", err)
	}
}

func TestANewConnectionForgetsWhatWasDenied(t *testing.T) {
	t.Parallel()
	server, conn := guarded(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := conn.Bind(ctx, stream.Results, stream.WriteDurable("evm", "bsc")); err == nil || conn.Denied() == nil {
		t.Fatalf("error %v, denied %v", err, conn.Denied())
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	wait.For(t, patience, "healthy again", func() bool { return conn.Healthy() == nil })
}

func TestAWrongPasswordIsTheReasonOfTheError(t *testing.T) {
	t.Parallel()
	server, _ := guarded(t)
	_, err := dial(t, as(server, "claimer", "wrong"), 500*time.Millisecond)
	if err == nil || !strings.Contains(strings.ToLower(err.Error()), "authorization") || strings.Contains(err.Error(), "wrong@") {
		t.Errorf("error %v", err)
	}
}
