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
	for _, token := range slices.Concat(n.Tokens(), n.Odd(), n.OddDecimals(), n.Fickle(), n.Bad()) {
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
	for _, token := range slices.Concat(n.Tokens(), n.Odd(), n.Fickle()) {
		call := map[string]any{"to": token.Address, "data": "0x313ce567"}
		if got := number(t, askText(t, n, "eth_call", call, "latest")); got.Int64() != int64(token.Decimals) {
			t.Errorf("%s says %s decimals, want %d", token.Name, got, token.Decimals)
		}
	}
}

func TestOddDecimalsAreAsNamed(t *testing.T) {
	n := start(t, Config{})
	want := map[string]string{
		"decimals-differ": "0x" + strings.Repeat("0", 63) + "8",
		"decimals-revert": "execution reverted: no decimals here",
		"decimals-empty":  "0x",
		"decimals-256":    "0x" + strings.Repeat("0", 61) + "100",
		"decimals-max":    "0x" + strings.Repeat("f", 64),
		"decimals-text":   "0x3138" + strings.Repeat("0", 60),
	}
	if len(want) != len(n.OddDecimals()) {
		t.Errorf("planted: %v", names(n.OddDecimals()))
	}
	for _, token := range n.OddDecimals() {
		got := ask(t, n, "eth_call", map[string]any{"to": token.Address, "data": "0x313ce567"}, "latest")
		text := strings.Trim(string(got.Result), `"`)
		if got.Error != nil {
			text = got.Error.Message
		}
		if text != want[token.Name] {
			t.Errorf("%s says %s, want %s", token.Name, text, want[token.Name])
		}
	}
}

// relay is code that asks the token in its first argument for the balance in its second, by CALL (f1) or
// STATICCALL (fa), and returns success and the first word: what Multicall3 and a scanner do.
func relay(opcode string) string {
	value := ""
	if opcode == "f1" {
		value = "6000" // PUSH1 0, the value that CALL takes besides
	}
	return "0x" +
		"6370a0823160e01b600052" + // mem[0:4] = balanceOf's selector
		"602035600452" + // mem[4:36] = the wallet
		"6020608060246000" + value + "600035" + "620493e0" + opcode + // call with 300,000 gas; 32 bytes to mem[0x80:]
		"606052" + "60406060f3" // mem[0x60] = success; return two words
}

func TestFickleTokensAnswerByHowTheyAreAsked(t *testing.T) {
	n := start(t, Config{Wallets: 50})
	for _, token := range n.Fickle() {
		held := mustBalance(t, n, 0, token.Address, n.Wallet(3)).String()
		if got := askBalance(t, n, 0, token.Address, n.Wallet(3)).String(); got != held {
			t.Errorf("%s tells an account %s, stored is %s", token.Name, got, held)
		}
		for opcode, want := range map[string]map[string]string{
			"f1": {"answers-by-caller": "1 1", "writes-on-read": "1 " + held},
			"fa": {"answers-by-caller": "1 1", "writes-on-read": "0 0"},
		} {
			pad := strings.Repeat("0", 24)
			input := "0x" + pad + strings.ToLower(token.Address[2:]) + pad + strings.ToLower(n.Wallet(3)[2:])
			override := map[string]any{n.Wallet(0): map[string]any{"code": relay(opcode)}}
			text := askText(t, n, "eth_call", map[string]any{"to": n.Wallet(0), "data": input}, "latest", override)
			got := number(t, text[:66]).String() + " " + number(t, "0x"+text[66:]).String()
			if got != want[token.Name] {
				t.Errorf("%s by %s: success and value %s, want %s", token.Name, opcode, got, want[token.Name])
			}
		}
	}
}

func TestEveryWalletHasTheMostOfOneToken(t *testing.T) {
	n := start(t, Config{Wallets: 3})
	for i := range 3 {
		if held := mustBalance(t, n, 0, n.Token(returnsMax).Address, n.Wallet(i)); held.BitLen() != 256 || held.TrailingZeroBits() != 0 {
			t.Errorf("wallet %d holds %s", i, held)
		}
	}
}

// The words are geth's own; a reader has to tell these cases apart.
func TestBadTokensMisbehaveAsNamed(t *testing.T) {
	n := start(t, Config{Wallets: 3})
	sizes := map[string]int{"revert-bomb": 2 << 20, "reverts-200-kilobytes": 200_000}
	want := map[string]struct{ result, failure string }{
		"reverts":               {failure: "execution reverted: no balance here"},
		"reverts-200-kilobytes": {failure: "execution reverted"},
		"delegates-to-itself":   {failure: "execution reverted"},
		"returns-nothing":       {result: "0x"},
		"returns-31-bytes":      {result: "0x" + strings.Repeat("ff", 31)},
		"gas-loop":              {failure: "out of gas"},
		"revert-bomb":           {failure: "execution reverted"},
		"invalid-opcode":        {failure: "invalid opcode: INVALID"},
		"no-code":               {result: "0x"},
	}
	if len(want) != len(n.Bad()) {
		t.Errorf("planted: %v", names(n.Bad()))
	}
	for _, token := range n.Bad() {
		got := ask(t, n, "eth_call", balanceCall(token.Address, n.Wallet(1)), "latest")
		expected := want[token.Name]
		switch {
		case expected.failure == "" && string(got.Result) != `"`+expected.result+`"`:
			t.Errorf("%s returned %.80s (error %.200v), want %s", token.Name, got.Result, got.Error, expected.result)
		case expected.failure != "" && (got.Error == nil || got.Error.Message != expected.failure):
			t.Errorf("%s: result %.80s, error %.200v, want %q", token.Name, got.Result, got.Error, expected.failure)
		case sizes[token.Name] > 0 && len(got.Error.Data) != 2+2*sizes[token.Name]:
			t.Errorf("%s: %d hex digits of data", token.Name, len(got.Error.Data)-2)
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
	sizes := map[string]int{"proxy": 32, "heavy": 32, "returns-64-bytes": 64, "returns-megabyte": 1 << 20, "returns-100-bytes": 100, "returns-max": 32}
	for _, token := range n.Odd() {
		text := askText(t, n, "eth_call", balanceCall(token.Address, n.Wallet(1)), "latest")
		got := (len(text) - 2) / 2
		if token.Name == "return-bomb" {
			if got < 2<<20 || got > 5<<20 {
				t.Errorf("50M gas buys %d bytes of the bomb", got)
			}
			continue
		}
		if got != sizes[token.Name] {
			t.Errorf("%s returns %d bytes, want %d", token.Name, got, sizes[token.Name])
		}
	}
}
