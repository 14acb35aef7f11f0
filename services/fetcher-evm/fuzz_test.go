package fetcherevm

import (
	"encoding/hex"
	"math/big"
	"strings"
	"testing"
)

// answersOfNodes are seeds: what geth, anvil and gateways answered, well and not.
var answersOfNodes = []string{
	`{"jsonrpc":"2.0","id":1,"result":"0x1267"}`,
	`{"jsonrpc":"2.0","id":1,"result":"0x` + strings.Repeat("0", 60) + `1267"}`,
	`{"jsonrpc":"2.0","id":1,"result":"0x` + strings.Repeat("f", 64) + `"}`,
	`{"jsonrpc":"2.0","id":1,"result":"0x"}`, `{"jsonrpc":"2.0","id":1,"result":null}`,
	`{"jsonrpc":"2.0","id":1,"error":{"code":3,"message":"execution reverted: no balance here","data":"0x08c379a0"}}`,
	`{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"header not found"}}`,
	`{"jsonrpc":"2.0","id":1,"result":{"number":"0x3","hash":"0x` + strings.Repeat("a", 64) + `","parentHash":"0x` + strings.Repeat("b", 64) + `"}}`,
	`[{"jsonrpc":"2.0","id":1,"result":"0x7"},{"jsonrpc":"2.0","id":2,"result":"0x` + strings.Repeat("0", 63) + `7"},{"jsonrpc":"2.0","id":3,"result":"0x0"}]`,
	`[{"jsonrpc":"2.0","id":3,"result":"0x7"},{"jsonrpc":"2.0","id":1,"error":{"code":3,"message":"execution reverted"}},{"jsonrpc":"2.0","id":2,"result":"0x"}]`,
	`[{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"batch too large"}}]`,
	`[{"jsonrpc":"2.0","id":1,"result":"0x7"},{"jsonrpc":"2.0","id":1,"result":"0x8"}]`,
	`{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"batch limit 100 exceeded: 142 requests given"}}`,
	`{"jsonrpc":"2.0","id":1,"error":"text"}`, `[null,{}]`, `[]`, `{}`, `<html>`, ``, `[{"id":1e0,"result":"0x7","jsonrpc":"2.0"}]`, `[[[[`,
}

// sound fails the test if an answer holds a value that is not a balance, or both a value and an error.
func sound(t *testing.T, body string, a answer) {
	t.Helper()
	if a.raw == "" {
		if a.failed == nil && a.code == "" {
			t.Fatalf("%q: neither a value nor an error", body)
		}
		return
	}
	value, ok := new(big.Int).SetString(a.raw, 10)
	if !ok || value.Sign() < 0 || value.BitLen() > 256 || value.String() != a.raw {
		t.Fatalf("%q: the value %q", body, a.raw)
	}
	if a.failed != nil || a.code != "" || !strings.Contains(body, "0x") {
		t.Fatalf("%q: %+v", body, a)
	}
}

// FAULTS 26: whatever a node answers, there is no panic, and a value is a balance that it gave.
func FuzzAnswersToSingleCalls(f *testing.F) {
	for _, seed := range answersOfNodes {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := decodeSingle([]byte(body), 1)
		sound(t, body, call{native: true}.answer(r))
		sound(t, body, call{token: address{1}}.answer(r))
		if h, failed := readHeader(r); failed == nil && (h.number < 0 || len(h.hash) != 66 || len(h.parent) != 66) {
			t.Fatalf("%q: the block %+v", body, h)
		}
	})
}

func FuzzAnswersToBatches(f *testing.F) {
	for _, seed := range answersOfNodes {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		replies, failed := decodeBatch([]byte(body), 1, 3)
		if (failed == nil) != (len(replies) == 3) {
			t.Fatalf("%q: %d replies, %v", body, len(replies), failed)
		}
		for _, r := range replies {
			sound(t, body, call{native: true}.answer(r))
			sound(t, body, call{token: address{1}}.answer(r))
		}
	})
}

// What contracts return, which anybody can write.
func FuzzReturnsOfMulticall3(f *testing.F) {
	word := func(text string) string { return strings.Repeat("0", 64-len(text)) + text }
	f.Add(word("20") + word("1") + word("20") + word("1") + word("40") + word("20") + word("7"))
	f.Add(word("20") + word("1") + word("20") + word("0") + word("40") + word("0"))
	f.Add(word("20") + word("1") + word("20") + word("1") + word("40") + strings.Repeat("f", 64))
	f.Add(word("20") + word("ffffffff"))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		data, err := hex.DecodeString(text)
		if err != nil {
			return
		}
		for n := range 3 {
			results, err := aggregated(data, n)
			if err == nil && len(results) != n {
				t.Fatalf("%s: %d results of %d", text, len(results), n)
			}
			held := 0
			for _, r := range results {
				held += len(r.data)
			}
			if held > len(data) {
				t.Fatalf("%s: %d bytes out of %d", text, held, len(data))
			}
		}
	})
}
