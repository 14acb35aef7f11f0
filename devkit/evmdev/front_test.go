package evmdev

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

const chainIDCall = `{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}`

func TestRequestsCountsABatchOnceAndFaultsToo(t *testing.T) {
	n := start(t, Config{Wallets: 1})
	if got := n.Requests(); got != 0 {
		t.Errorf("%d requests before the first", got)
	}
	post(t, n, chainIDCall)
	post(t, n, "["+chainIDCall+","+chainIDCall+"]")
	mustBalance(t, n, 0, "", n.Wallet(0)) // the oracle is not a request
	n.Intercept(func(http.Handler) http.Handler { return http.NotFoundHandler() })
	post(t, n, chainIDCall)
	if got := n.Requests(); got != 3 {
		t.Errorf("%d requests, want 3", got)
	}
}

func TestInterceptIsReplacedAndTakenAway(t *testing.T) {
	n := start(t, Config{ChainID: 5})
	const own, other = `"result":"0x5"`, `"result":"0x6"`
	expect := func(what, want string) {
		t.Helper()
		if _, text := post(t, n, chainIDCall); !strings.Contains(text, want) {
			t.Errorf("%s: %s, want %s", what, text, want)
		}
	}
	expect("no fault", own)
	n.Intercept(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":1,"result":"0x6"}`)
		})
	})
	expect("wrong chain", other)
	n.Intercept(func(next http.Handler) http.Handler { return next })
	expect("passes on", own)
	n.Intercept(func(http.Handler) http.Handler { return http.NotFoundHandler() })
	expect("not found", "404")
	n.Intercept(nil)
	expect("fault taken away", own)
}

func TestInterceptCanCutTheConnection(t *testing.T) {
	n := start(t, Config{})
	n.Intercept(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	})
	resp, err := http.Post(n.URL(), "application/json", strings.NewReader(chainIDCall))
	if err == nil {
		_ = resp.Body.Close()
		t.Fatal("the connection was not cut:", resp.Status)
	}
}

func TestLimitsAreGethsDefaults(t *testing.T) {
	n := start(t, Config{})
	calls := strings.Repeat(chainIDCall+",", 1000)
	if _, text := post(t, n, "["+strings.TrimSuffix(calls, ",")+"]"); strings.Contains(text, "error") {
		t.Errorf("1000 calls in a batch: %.200s", text)
	}
	if _, text := post(t, n, "["+calls+chainIDCall+"]"); !strings.Contains(text, "batch too large") {
		t.Errorf("1001 calls in a batch: %.200s", text)
	}
	if status, text := post(t, n, strings.Repeat(" ", 5<<20+1)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a body over 5 MiB: %d %.200s", status, text)
	}
	megabyte := `{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"` +
		n.Token("returns-megabyte").Address + `","data":"0x70a08231` + strings.Repeat("0", 64) + `"},"latest"]}`
	_, text := post(t, n, "["+strings.TrimSuffix(strings.Repeat(megabyte+",", 14), ",")+"]")
	if got := strings.Count(text, "response too large"); got == 0 || len(text) > 28_000_000 {
		t.Errorf("14 answers of 2 MB: %d bytes, %d refused", len(text), got)
	}
	// GAS, MSTORE, RETURN tells what a call has to spend.
	override := map[string]any{n.Wallet(0): map[string]any{"code": "0x5a60005260206000f3"}}
	gas := number(t, askText(t, n, "eth_call", map[string]any{"to": n.Wallet(0)}, "latest", override)).Int64()
	if gas > 50_000_000 || gas < 49_900_000 {
		t.Errorf("a call may spend %d gas", gas)
	}
}
