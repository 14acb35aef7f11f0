package evmdev

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func names(tokens []Token) []string {
	var out []string
	for _, token := range tokens {
		out = append(out, token.Name)
	}
	return out
}

func TestEveryPlantedTokenIsFoundByName(t *testing.T) {
	n := start(t, Config{})
	if got := names(n.Tokens()); !slices.Equal(got, []string{"token18", "token6"}) {
		t.Errorf("good tokens: %v", got)
	}
	if a, b := n.Tokens()[0].Decimals, n.Tokens()[1].Decimals; a != 18 || b != 6 {
		t.Errorf("decimals %d and %d", a, b)
	}
	for _, token := range slices.Concat(n.Tokens(), n.Odd(), n.Bad()) {
		if got := n.Token(token.Name); got != token {
			t.Errorf("%s is %+v by name, %+v in its list", token.Name, got, token)
		}
	}
	for _, name := range []string{"", "coin", proxied, nativeMover} {
		if got := n.Token(name); got != (Token{}) {
			t.Errorf("%q is %+v", name, got)
		}
	}
}

func TestDecimalsOnChainAreThoseOfTheToken(t *testing.T) {
	n := start(t, Config{})
	for _, token := range slices.Concat(n.Tokens(), n.Odd()) {
		call := map[string]any{"to": token.Address, "data": "0x313ce567"}
		if got := number(t, askText(t, n, "eth_call", call, "latest")); got.Int64() != int64(token.Decimals) {
			t.Errorf("%s says %s decimals, want %d", token.Name, got, token.Decimals)
		}
	}
}

// The words are geth's own; a reader has to tell these cases apart.
func TestBadTokensMisbehaveAsNamed(t *testing.T) {
	n := start(t, Config{Wallets: 3})
	want := map[string]struct{ result, failure string }{
		"reverts":          {failure: "execution reverted: no balance here"},
		"returns-nothing":  {result: "0x"},
		"returns-31-bytes": {result: "0x" + strings.Repeat("ff", 31)},
		"gas-loop":         {failure: "out of gas"},
		"revert-bomb":      {failure: "execution reverted"},
		"invalid-opcode":   {failure: "invalid opcode: INVALID"},
		"no-code":          {result: "0x"},
	}
	if len(want) != len(n.Bad()) {
		t.Errorf("planted: %v", names(n.Bad()))
	}
	for _, token := range n.Bad() {
		got := ask(t, n, "eth_call", balanceCall(token.Address, n.Wallet(1)), "latest")
		expected := want[token.Name]
		switch {
		case expected.failure == "" && string(got.Result) != `"`+expected.result+`"`:
			t.Errorf("%s returned %s (error %+v), want %s", token.Name, got.Result, got.Error, expected.result)
		case expected.failure != "" && (got.Error == nil || got.Error.Message != expected.failure):
			t.Errorf("%s: result %.80s, error %+v, want %q", token.Name, got.Result, got.Error, expected.failure)
		}
	}
}

func TestRevertBombSendsTwoMegabytesIfPaid(t *testing.T) {
	n := start(t, Config{})
	call := balanceCall(n.Token("revert-bomb").Address, n.Wallet(1))
	if got := ask(t, n, "eth_call", call, "latest"); len(got.Error.Data) != 2+2*(1<<21) {
		t.Errorf("50M gas bought %d hex digits", len(got.Error.Data)-2)
	}
	call["gas"] = "0x493e0" // 300,000
	got := ask(t, n, "eth_call", call, "latest")
	if got.Error.Message != "execution reverted" || len(got.Error.Data) < 2+2*(1<<16) {
		t.Errorf("300k gas: %s with %d hex digits", got.Error.Message, len(got.Error.Data)-2)
	}
}

func TestOddTokensCostWhatTheySay(t *testing.T) {
	n := start(t, Config{Wallets: 3})
	gas := func(name string) int64 {
		t.Helper()
		call := balanceCall(n.Token(name).Address, n.Wallet(1))
		batch := map[string]any{"blockStateCalls": []any{map[string]any{"calls": []any{call}}}}
		var blocks []struct{ Calls []struct{ GasUsed string } }
		got := ask(t, n, "eth_simulateV1", batch, "latest")
		if err := json.Unmarshal(got.Result, &blocks); err != nil {
			t.Fatalf("%s: %s: %v", name, got.Result, err)
		}
		return number(t, blocks[0].Calls[0].GasUsed).Int64() - 21_000
	}
	if got := gas("heavy"); got < 259_000 || got > 261_000 {
		t.Errorf("heavy costs %d gas", got)
	}
	if got := gas("returns-megabyte"); got < 2_190_000 || got > 2_240_000 {
		t.Errorf("returns-megabyte costs %d gas", got)
	}
	sizes := map[string]int{"proxy": 32, "heavy": 32, "returns-64-bytes": 64, "returns-megabyte": 1 << 20}
	for _, token := range n.Odd() {
		text := askText(t, n, "eth_call", balanceCall(token.Address, n.Wallet(1)), "latest")
		if got := (len(text) - 2) / 2; got != sizes[token.Name] {
			t.Errorf("%s returns %d bytes, want %d", token.Name, got, sizes[token.Name])
		}
	}
}
