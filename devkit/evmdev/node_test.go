package evmdev

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestTwoChainsRunInOneProcess(t *testing.T) {
	a := start(t, Config{ChainID: 111, Wallets: 45})
	b := start(t, Config{ChainID: 222, Wallets: 45})
	if err := a.CommitN(2); err != nil {
		t.Fatal(err)
	}
	if got := askText(t, a, "eth_chainId"); got != "0x6f" {
		t.Errorf("first chain says %s", got)
	}
	if got := askText(t, b, "eth_chainId"); got != "0xde" {
		t.Errorf("second chain says %s", got)
	}
	if a.Head() != 2 || b.Head() != 0 {
		t.Errorf("heads %d and %d, want 2 and 0", a.Head(), b.Head())
	}
	for _, asset := range readable(a) {
		one := mustBalance(t, a, 0, asset.Address, a.Wallet(44))
		other := mustBalance(t, b, 0, asset.Address, b.Wallet(44))
		if one.Cmp(other) == 0 && asset.Name != returnsMax {
			t.Errorf("%s: both chains hold %s, so a mix-up would pass", asset.Name, one)
		}
	}
}

func TestCloseFreesThePortAndMayBeRepeated(t *testing.T) {
	n, err := Start(t.Context(), Config{ChainID: 1, Wallets: 1, BlockPeriod: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	addr := strings.TrimPrefix(n.URL(), "http://")
	if !strings.HasPrefix(addr, "127.0.0.1:") {
		t.Errorf("serves on %s", addr)
	}
	for range 2 {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}
	if n.Commit() == nil || n.Churn(t.Context(), 0, 1) == nil {
		t.Error("a closed chain went on")
	}
	again, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal("the port is still taken:", err)
	}
	_ = again.Close()
}

func TestCloseDoesNotWaitForAFaultThatHangs(t *testing.T) {
	n := start(t, Config{})
	came, over := make(chan struct{}), make(chan struct{})
	n.Intercept(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			close(came)
			<-over
		})
	})
	failed := make(chan error, 1)
	go func() {
		resp, err := http.Post(n.URL(), "application/json", strings.NewReader(chainIDCall))
		if err == nil {
			_ = resp.Body.Close()
		}
		failed <- err
	}()
	<-came
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	if err := <-failed; err == nil {
		t.Error("the request under way was answered")
	}
	close(over)
}

func TestTimerMakesBlocksThatMoveBalances(t *testing.T) {
	n := start(t, Config{Wallets: 20, BlockPeriod: 20 * time.Millisecond, Churn: 4})
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for n.Head() < 5 || n.Moved() < 8 {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("head at %d, %d balances moved", n.Head(), n.Moved())
		}
	}
}

func TestNodeOutlivesTheContextItWasStartedWith(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	n, err := Start(ctx, Config{ChainID: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = n.Close() }()
	cancel()
	if err := n.Commit(); err != nil {
		t.Error(err)
	}
	askText(t, n, "eth_blockNumber")
}

func TestStartRefusesBadConfig(t *testing.T) {
	for _, cfg := range []Config{{}, {ChainID: 1, Wallets: -1}, {ChainID: 1, BlockPeriod: -1}, {ChainID: 1, Churn: -1}} {
		if n, err := Start(t.Context(), cfg); err == nil {
			t.Errorf("%+v started", cfg)
			_ = n.Close()
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := Start(ctx, Config{ChainID: 1}); err == nil {
		t.Error("started on a context that had ended")
		_ = n.Close()
	}
}

func TestHeadMovesByCommitOnly(t *testing.T) {
	n := start(t, Config{})
	if n.Head() != 0 {
		t.Errorf("a fresh chain is at %d", n.Head())
	}
	if err := n.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := n.CommitN(3); err != nil {
		t.Fatal(err)
	}
	if got := askText(t, n, "eth_blockNumber"); got != "0x4" || n.Head() != 4 {
		t.Errorf("geth is at %s, Head at %d, want 4", got, n.Head())
	}
}
