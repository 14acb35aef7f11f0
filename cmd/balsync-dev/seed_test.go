package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/evmdev"
	"github.com/balance-sync/balance-sync/devkit/trondev"
	"github.com/balance-sync/balance-sync/devkit/wait"
	"google.golang.org/grpc/codes"
)

// begin starts a stack for the built-in chains and gives it with a function that ends its services.
func begin(t *testing.T, prepare func(*stack), args ...string) (*stack, services) {
	t.Helper()
	return beginIn(t, ours(t), prepare, args...)
}

// beginIn is begin in an environment.
func beginIn(t *testing.T, env map[string]string, prepare func(*stack), args ...string) (*stack, services) {
	t.Helper()
	notes := &sink{}
	c := console{lookup: func(name string) (string, bool) { value, ok := env[name]; return value, ok }, out: io.Discard, err: notes}
	opt, _, err := parse(args, c.lookup)
	if err != nil {
		t.Fatal(err)
	}
	s, err := newStack(opt, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(notes.String())
		}
	})
	if err := s.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if prepare != nil {
		prepare(s)
	}
	running, err := s.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = running.stop() }) // a test that failed has left them running; one that did not has had its error
	return s, running
}

// state counts the rows of every chain now.
func state(t *testing.T, s *stack) map[string]count {
	t.Helper()
	counts, err := s.count(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

// The seed read its chains in one loop: a dead TRON node took the others' rate from 5,000 rows to 50.
func TestADeadNodeLeavesTheOtherChainsRateWhole(t *testing.T) {
	dead := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) })
	}
	const rows = 60 / 3 * 3 // of a chain
	var evm *evmdev.Node
	var tron *trondev.Node
	s, running := begin(t, func(s *stack) {
		evm, tron = s.chains[1].node.(*evmdev.Node), s.chains[2].node.(solid).Node
		evm.Intercept(dead)
		tron.Intercept(trondev.Answer(codes.Unavailable, "the node is down"))
	}, "--wallets", "60")
	wait.For(t, 60*time.Second, "every good row of the chain that lives is synced", func() bool { return state(t, s)["evm-a"].synced == rows })
	for _, name := range []string{"evm-b", "tron-a"} {
		wait.For(t, 60*time.Second, "rows of the dead chain say why: "+name, func() bool { return state(t, s)[name].errors > 0 })
	}
	evm.Intercept(nil)
	tron.Intercept(nil)
	for _, name := range []string{"evm-b", "tron-a"} {
		wait.For(t, 90*time.Second, "the dead chain comes back by itself: "+name, func() bool { return state(t, s)[name].synced == rows })
	}
	if err := running.stop(); err != nil {
		t.Fatal(err)
	}
	var counted int
	const blamed = `SELECT count(*) FROM wallet_balances WHERE id <> ALL ($1) AND error_count > 0`
	planted := make([]string, 0, len(s.planted))
	for id := range s.planted {
		planted = append(planted, id.String())
	}
	if err := s.pool.QueryRow(context.WithoutCancel(t.Context()), blamed, planted).Scan(&counted); err != nil {
		t.Fatal(err)
	}
	if counted > 0 {
		t.Errorf("%d good rows were blamed for a dead node: error_count is above 0", counted)
	}
}

func TestOneAdminListenerServesAllServices(t *testing.T) {
	s, running := begin(t, nil, "--wallets", "4")
	get := func(path string) (int, string) {
		response, err := http.Get("http://" + s.admin.Addr() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	wait.For(t, 30*time.Second, "ready", func() bool { code, _ := get("/readyz"); return code == http.StatusOK })
	_, ready := get("/readyz")
	for _, want := range []string{"claimer.postgres", "claimer.nats.evm-a", "writer.postgres", "writer.nats.evm-b", "fetcher-evm.nats.evm-a", "fetcher-tron.nats.tron-a"} {
		if !strings.Contains(ready, want) {
			t.Errorf("/readyz does not show %s: %s", want, ready)
		}
	}
	wait.For(t, 30*time.Second, "metrics of every service", func() bool {
		_, metrics := get("/metrics")
		return strings.Contains(metrics, `balsync_claimer_`) && strings.Contains(metrics, `balsync_fetch_claims_total`) && strings.Contains(metrics, `balsync_writer_`)
	})
	if code, version := get("/version"); code != http.StatusOK || !strings.Contains(version, "balsync-dev") {
		t.Errorf("/version: %d %s", code, version)
	}
	if code, _ := get("/livez"); code != http.StatusOK {
		t.Errorf("/livez: %d", code)
	}
	if err := running.stop(); err != nil {
		t.Fatal(err)
	}
}
