package anvildev

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/evmdev"
)

var config = evmdev.Config{ChainID: 4711, Wallets: 60}

// result is the string that a method must answer with.
func result(t *testing.T, url, method string, params ...any) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(url, "application/json", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Result string }
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatalf("%s: %.300s: %v", method, text, err)
	}
	if answer.Result == "" {
		t.Fatalf("%s: %.300s", method, text)
	}
	return answer.Result
}

func TestAnvilHoldsWhatGethHoldsInItsFirstBlock(t *testing.T) {
	geth, err := evmdev.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = geth.Close() }()
	anvil := Run(t, config, 3)
	if id, head := result(t, anvil.URL(), "eth_chainId"), result(t, anvil.URL(), "eth_blockNumber"); id != "0x1267" || head != "0x3" {
		t.Errorf("chain %s at block %s", id, head)
	}
	zeros := 0
	for _, token := range slices.Concat([]evmdev.Token{{}}, geth.Tokens(), geth.Odd(), geth.OddDecimals(), geth.Fickle()) {
		for i := range 4 {
			wallet := geth.Wallet(17 * i)
			truth, err := geth.Balance(0, token.Address, wallet)
			if err != nil {
				t.Fatal(err)
			}
			want, got := fmt.Sprintf("0x%x", truth), ""
			if token.Address == "" {
				got = result(t, anvil.URL(), "eth_getBalance", wallet, "latest")
			} else {
				data := "0x70a08231" + strings.Repeat("0", 24) + wallet[2:]
				got = result(t, anvil.URL(), "eth_call", map[string]string{"to": token.Address, "data": data, "gas": "0x2dc6c0"}, "latest")
				want, got = fmt.Sprintf("0x%064x", truth), got[:66]
			}
			if got != want {
				t.Errorf("%q, wallet %d: %s, want %s", token.Name, 17*i, got, want)
			}
			if truth.Sign() == 0 {
				zeros++
			}
		}
	}
	if zeros > 10 {
		t.Errorf("%d zeros: the comparison says little", zeros)
	}
}

func TestCloseEndsTheProcessAndMayBeRepeated(t *testing.T) {
	node, err := Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := node.Mine(t.Context(), 1); err == nil {
		t.Error("it still answers")
	}
}

func TestAnvilThatDiedIsReported(t *testing.T) {
	node, err := Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	node.process.stop()
	if err := node.Close(); err == nil {
		t.Error("a dead anvil closed well")
	}
}

func TestSeveralWhoInstallAtOnceGetOneInstallation(t *testing.T) {
	root := t.TempDir()
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			path, err := programIn(t.Context(), root, "npm")
			if err != nil {
				t.Error(err)
				return
			}
			if version, err := exec.Command(path, "--version").Output(); err != nil || !strings.Contains(string(version), "1.7.1") {
				t.Errorf("%s: %v", version, err)
			}
		})
	}
	all.Wait()
	if left, err := filepath.Glob(filepath.Join(root, "*.new")); err != nil || len(left) > 0 {
		t.Errorf("left aside: %v, %v", left, err)
	}
}

func TestAMissingProgramIsSaidAndNotPassedOver(t *testing.T) {
	if _, err := programIn(t.Context(), t.TempDir(), "no-such-npm"); err == nil || !strings.Contains(err.Error(), "npm and its registry are needed") {
		t.Errorf("without npm: %v", err)
	}
	failing, err := exec.LookPath("false")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if _, err := programIn(t.Context(), root, failing); err == nil {
		t.Error("npm failed and nobody said so")
	}
	if path, err := programIn(t.Context(), root, "npm"); err != nil || path == "" {
		t.Errorf("a failed installation is in the way of the next: %v", err)
	}
	if _, err := startAt(t.Context(), failing, config); err == nil || !strings.Contains(err.Error(), "it ended") {
		t.Errorf("a program that ends at once: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lock(ctx, filepath.Join(root, "free")); err != nil {
		t.Errorf("a free lock takes no wait: %v", err)
	}
}
