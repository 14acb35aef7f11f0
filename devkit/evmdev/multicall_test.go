package evmdev

import "testing"

func TestMulticallStandsAtItsUsualAddress(t *testing.T) {
	n := start(t, Config{})
	text := askText(t, n, "eth_call", map[string]any{"to": Multicall, "data": "0x3408e470"}, "latest") // getChainId()
	if got := number(t, text); len(text) != 66 || got.Int64() != 31337 {
		t.Errorf("getChainId() = %s", text)
	}
}
