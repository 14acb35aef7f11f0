package evmdev

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// The tests speak JSON-RPC by hand, over HTTP, as somebody who knows nothing of go-ethereum would.

func start(t *testing.T, cfg Config) *Node {
	t.Helper()
	if cfg.ChainID == 0 {
		cfg.ChainID = 31337
	}
	n, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

type answer struct {
	Result json.RawMessage
	Error  *struct {
		Code    int
		Message string
		Data    string
	}
}

func post(t *testing.T, n *Node, body string) (status int, text string) {
	t.Helper()
	resp, err := http.Post(n.URL(), "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

func ask(t *testing.T, n *Node, method string, params ...any) answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		t.Fatal(err)
	}
	_, text := post(t, n, string(body))
	var out answer
	if err := json.NewDecoder(bytes.NewBufferString(text)).Decode(&out); err != nil {
		t.Fatalf("%s answered %q: %v", method, text, err)
	}
	return out
}

// askText is the string that a method must answer with.
func askText(t *testing.T, n *Node, method string, params ...any) string {
	t.Helper()
	got := ask(t, n, method, params...)
	var text string
	if got.Error != nil {
		t.Fatalf("%s(%v): %s", method, params, got.Error.Message)
	} else if err := json.Unmarshal(got.Result, &text); err != nil {
		t.Fatalf("%s(%v): %s: %v", method, params, got.Result, err)
	}
	return text
}

// balanceCall is what an eth_call of balanceOf takes, but for the block.
func balanceCall(token, wallet string) map[string]any {
	data := "0x70a08231" + strings.Repeat("0", 24) + strings.ToLower(strings.TrimPrefix(wallet, "0x"))
	return map[string]any{"to": token, "data": data}
}

// askBalance reads the first word of the answer, which must be there in full.
func askBalance(t *testing.T, n *Node, height int64, token, wallet string) *big.Int {
	t.Helper()
	block := fmt.Sprintf("0x%x", height)
	if token == "" {
		return number(t, askText(t, n, "eth_getBalance", wallet, block))
	}
	call := balanceCall(token, wallet)
	call["gas"] = "0x2dc6c0" // 3,000,000, the most that any true balance needs
	text := askText(t, n, "eth_call", call, block)
	if len(text) < 2+64 {
		t.Fatalf("balance of %s in %s: %s is no word", wallet, token, text)
	}
	return number(t, text[:2+64])
}

func number(t *testing.T, hex string) *big.Int {
	t.Helper()
	value, ok := new(big.Int).SetString(strings.TrimPrefix(hex, "0x"), 16)
	if !ok {
		t.Fatalf("%q is not a number", hex)
	}
	return value
}

func mustBalance(t *testing.T, n *Node, height int64, token, wallet string) *big.Int {
	t.Helper()
	held, err := n.Balance(height, token, wallet)
	if err != nil {
		t.Fatal(err)
	}
	return held
}

// readable is every asset with a true balance, by its name.
func readable(n *Node) []Token {
	out := []Token{{Name: "coin", Decimals: 18}}
	return slices.Concat(out, n.Tokens(), n.Odd(), n.OddDecimals(), n.Fickle())
}
