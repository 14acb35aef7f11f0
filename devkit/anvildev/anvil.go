package anvildev

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/evmdev"
)

// Node is an anvil that runs. Its methods may be called concurrently.
type Node struct {
	process *process
	url     string
	close   func() error
}

// Start runs anvil with the first block of evmdev's config, of which ChainID and Wallets count. It stands at block 0. The end of ctx
// does not stop it; Close does, and on Linux the death of this process.
func Start(ctx context.Context, cfg evmdev.Config) (*Node, error) {
	path, err := program(ctx)
	if err != nil {
		return nil, err
	}
	return startAt(ctx, path, cfg)
}

// Run is Start for a test: with blocks made, and closed at the test's end. Without anvil the test fails.
func Run(t testing.TB, cfg evmdev.Config, blocks int) *Node {
	t.Helper()
	node, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := node.Mine(t.Context(), blocks); err != nil {
		t.Fatal(err)
	}
	return node
}

func startAt(ctx context.Context, path string, cfg evmdev.Config) (*Node, error) {
	first, err := evmdev.Genesis(cfg)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "balance-sync-anvil-")
	if err != nil {
		return nil, fmt.Errorf("start anvil: %w", err)
	}
	file := filepath.Join(dir, "genesis.json")
	if err := os.WriteFile(file, first, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("start anvil: %w", err), os.RemoveAll(dir))
	}
	// No accounts: theirs would be balances that the first block does not have. No mining: blocks are made by Mine only.
	p, address, err := launch(ctx, path, "--accounts", "0", "--no-mining", "--init", file)
	err = errors.Join(err, os.RemoveAll(dir)) // it was read before anvil listens
	if err != nil {
		return nil, fmt.Errorf("start anvil: %w", err)
	}
	n := &Node{process: p, url: "http://" + address}
	n.close = sync.OnceValue(n.shutdown)
	return n, nil
}

// URL is where the node answers JSON-RPC: http://127.0.0.1 and its port.
func (n *Node) URL() string { return n.url }

// Mine makes k empty blocks.
func (n *Node) Mine(ctx context.Context, k int) error {
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"anvil_mine","params":["0x%x"]}`, k)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("mine: %w", err)
	}
	defer response.Body.Close()
	var answer struct{ Error json.RawMessage }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return fmt.Errorf("mine: %w", err)
	}
	if answer.Error != nil {
		return fmt.Errorf("mine: %s", answer.Error)
	}
	return nil
}

// Close ends the process. Every call returns what the first one did: an error if it had ended before.
func (n *Node) Close() error { return n.close() }

func (n *Node) shutdown() error {
	select {
	case <-n.process.done:
		return fmt.Errorf("anvil had ended: %s", n.process.words())
	default:
		n.process.stop()
		return nil
	}
}
