package fetcherevm

import "testing"

func TestErrorsOfNodesAreClassified(t *testing.T) {
	tests := []struct {
		status, code int
		message      string
		want         class
	}{
		{429, 0, "", limited}, {200, -32005, "daily request count exceeded, request rate limited", limited}, {200, -32007, "50/second request limit reached", limited},
		{401, 0, "", barred}, {402, 0, "", barred}, {403, 0, "", barred}, {200, -32600, "Must be authenticated!", barred}, {200, -32000, "monthly capacity limit exceeded", barred},
		{413, 0, "content length too large (5600973>5242880)", oversized}, {200, -32600, "batch too large", oversized}, {200, -32000, "batch limit 100 exceeded: 142 requests given", oversized},
		{200, -32600, "Invalid request", oversized}, {200, -32003, "response too large", overlong}, {200, -32008, "Response is too big", overlong},
		{200, -32000, "execution aborted (timeout = 5s)", slow}, {408, 0, "", slow}, {504, 0, "", slow}, {524, 0, "", slow}, {200, -32015, "x", slow},
		{200, -32000, "out of gas", burnt}, {200, -32003, "EVM error OutOfGas", burnt}, {200, -32010, "x", burnt},
		{200, -32000, "header not found", lagging}, {200, -32000, "header for hash not found", lagging}, {200, -32001, "Resource not found", lagging}, {200, 3, "Unknown block", lagging},
		{200, -32602, "BlockOutOfRangeError: block height is 5 but requested was 9", lagging}, {200, -32000, "safe block not found", lagging},
		{200, -32000, "missing trie node 00aa", pruned}, {200, -32000, "historical state 00aa is not available", pruned},
		{200, 3, "execution reverted: nope", reverted}, {200, -32000, "invalid opcode: INVALID", reverted}, {200, -32015, "VM execution error.", reverted},
		{200, -32601, "the method eth_x does not exist/is not available", unsupported}, {405, 0, "", unsupported}, {200, -32602, "too many arguments", unsupported},
		{500, 0, "", down}, {502, 0, "bad gateway", down}, {503, -32603, "x", down},
		// What a token writes must not pose as the node's word.
		{200, 3, "execution reverted: rate limit exceeded", reverted}, {200, 3, "execution reverted: header not found", reverted},
		{200, -32000, "something new", garbage},
	}
	for _, tt := range tests {
		if got := classify(tt.status, tt.code, tt.message); got != tt.want {
			t.Errorf("HTTP %d, code %d, %q: %s, want %s", tt.status, tt.code, tt.message, got, tt.want)
		}
	}
}
