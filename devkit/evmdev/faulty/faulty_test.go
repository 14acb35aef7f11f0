package faulty

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/evmdev"
)

const chainID = 99

// open gives a chain of 60 blocks and a front before it.
func open(t *testing.T) (*evmdev.Node, *Front) {
	t.Helper()
	node, err := evmdev.Start(t.Context(), evmdev.Config{ChainID: chainID, Wallets: 12})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := node.CommitN(59); err != nil {
		t.Fatal(err)
	}
	if err := node.Churn(t.Context(), 0, 12); err != nil {
		t.Fatal(err)
	}
	return node, Open(t, node.URL())
}

// post gives status, headers and body of an answer, or the error in place of the body.
func post(t *testing.T, f *Front, body string) (*http.Response, string) {
	t.Helper()
	response, err := http.Post(f.URL(), "application/json", strings.NewReader(body))
	if err != nil {
		return &http.Response{}, err.Error()
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return response, err.Error()
	}
	return response, strings.TrimSpace(string(answer))
}

func call(method, params string) string {
	return `{"jsonrpc":"2.0","id":7,"method":"` + method + `","params":` + params + `}`
}

// expect asks with the fault on, and again with it off.
func expect(t *testing.T, f *Front, fault *Fault, body, want string) {
	t.Helper()
	_, healthy := post(t, f, body)
	before := fault.Hits()
	f.On(fault)
	_, got := post(t, f, body)
	if !strings.Contains(got, want) || strings.Contains(healthy, want) {
		t.Errorf("%.100s: with the fault %.200s, without it %.200s, want %q with it only", body, got, healthy, want)
	}
	if fault.Hits() == before {
		t.Errorf("%.100s: the fault counted nothing", body)
	}
	f.Off(fault)
	if _, again := post(t, f, body); again != healthy {
		t.Errorf("%.100s: taken away, %.200s", body, again)
	}
}

func TestWithoutFaultsTheNodesBytesArePassedOn(t *testing.T) {
	node, f := open(t)
	for _, body := range []string{call("eth_chainId", "[]"), "[" + call("eth_chainId", "[]") + "]", "nonsense", "[]", `{"jsonrpc":"2.0","id":"x","method":"eth_no","params":[]}`} {
		response, err := http.Post(node.URL(), "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		want, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if _, got := post(t, f, body); got != strings.TrimSpace(string(want)) {
			t.Errorf("%s: %s, the node says %s", body, got, want)
		}
	}
	if f.Requests() != 5 || f.Calls() != 3 {
		t.Errorf("%d requests of %d calls", f.Requests(), f.Calls())
	}
}

func TestHeightsCanLie(t *testing.T) {
	node, f := open(t)
	wallet := node.Wallet(1)
	read := func(block string) string { return call("eth_getBalance", `["`+wallet+`",`+block+`]`) }
	at := func(height int64) string {
		held, err := node.Balance(height, "", wallet)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`"result":"0x%x"`, held)
	}
	var head struct{ Result struct{ Hash string } }
	_, text := post(t, f, call("eth_getBlockByNumber", `["latest",false]`))
	if err := json.Unmarshal([]byte(text), &head); err != nil {
		t.Fatal(err)
	}
	byHash := `{"blockHash":"` + head.Result.Hash + `","requireCanonical":true}`

	lag := Lag(50)
	expect(t, f, lag, call("eth_blockNumber", "[]"), `"result":"0xa"`)
	expect(t, f, lag, call("eth_getBlockByNumber", `["latest",false]`), `"number":"0xa"`)
	expect(t, f, lag, call("eth_getBlockByNumber", `["0x3c",false]`), `"result":null`)
	expect(t, f, lag, read(`"0x3c"`), "header not found")
	expect(t, f, lag, read(byHash), "header for hash not found")
	expect(t, f, lag, read(`"latest"`), at(10))
	pin := IgnorePin(1)
	expect(t, f, pin, read(`"0x3c"`), at(59))
	expect(t, f, pin, read(byHash), at(59))
	ahead := Ahead(1e9)
	expect(t, f, ahead, call("eth_blockNumber", "[]"), `"result":"0x3b9aca3c"`)
	expect(t, f, ahead, call("eth_getBlockByNumber", `["latest",false]`), `"number":"0x3b9aca3c"`)
	f.On(ahead)
	if _, got := post(t, f, read(`"0x3b9aca3c"`)); !strings.Contains(got, at(60)) {
		t.Errorf("the block that it claims: %s", got)
	}
	f.Off(ahead)
	// NUMBER, MSTORE, RETURN as the code of an unused address.
	code := call("eth_call", `[{"to":"`+node.Wallet(99)+`"},"latest",{"`+node.Wallet(99)+`":{"code":"0x4360005260206000f3"}}]`)
	f.On(ahead)
	if _, got := post(t, f, code); !strings.Contains(got, "3b9aca3c\"") {
		t.Errorf("a contract is told of block %s", got)
	}
	f.Off()
	expect(t, f, ChainID(5), call("eth_chainId", "[]"), `"result":"0x5"`)
}

func TestAnotherNodeCanTakeTheAddress(t *testing.T) {
	_, f := open(t)
	other, err := evmdev.Start(t.Context(), evmdev.Config{ChainID: 77})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	f.Swap(other.URL())
	if _, got := post(t, f, call("eth_chainId", "[]")); !strings.Contains(got, `"0x4d"`) {
		t.Error(got)
	}
}

func TestLimitsAreSaidAsVendorsSayThem(t *testing.T) {
	_, f := open(t)
	one := call("eth_chainId", "[]")
	three := "[" + one + "," + one + "," + one + "]"
	expect(t, f, RateLimitText(-32007, "50/second request limit reached"), one, "-32007")
	expect(t, f, Suspended(30), one, "suspended for 30 s")
	expect(t, f, HTML(), one, "<html>")
	expect(t, f, BodyLimit(100), three, "content length too large")
	limit := RateLimit("7")
	f.On(limit)
	if response, _ := post(t, f, one); response.StatusCode != 429 || response.Header.Get("Retry-After") != "7" {
		t.Errorf("%s, %v", response.Status, response.Header)
	}
	f.Off(limit)
	f.On(Status(502))
	if response, _ := post(t, f, one); response.StatusCode != 502 {
		t.Error(response.Status)
	}
	f.Off()
	for _, form := range Forms {
		for _, most := range []int{1, 2} {
			fault := BatchLimit(most, form)
			f.On(fault)
			response, got := post(t, f, three)
			if response.StatusCode != form.status || !json.Valid([]byte(got)) || fault.Hits() != 1 {
				t.Errorf("%s: %s %s", form.Name, response.Status, got)
			}
			if _, got := post(t, f, "["+one+"]"); !strings.Contains(got, "result") {
				t.Errorf("%s: a batch within the limit: %s", form.Name, got)
			}
			f.Off(fault)
		}
	}
}

func TestBatchesComeBackBroken(t *testing.T) {
	_, f := open(t)
	batch := `[{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]},{"jsonrpc":"2.0","id":2,"method":"eth_blockNumber","params":[]}]`
	const first, second = `{"jsonrpc":"2.0","id":1,"result":"0x63"}`, `{"jsonrpc":"2.0","id":2,"result":"0x3c"}`
	for want, fault := range map[string]*Fault{
		"[" + first + "]":                Shorten(1),
		"[" + second + "," + first + "]": Reorder(),
		"[" + first + "," + second + `,{"jsonrpc":"2.0","id":1,"result":"0x3c"}]`:    Duplicate(),
		`[{"jsonrpc":"2.0","id":1,"error":{"code":3,"message":"x"}},` + second + "]": Replace(0, Reply{Error: &Error{Code: 3, Message: "x"}}),
	} {
		f.On(fault)
		if _, got := post(t, f, batch); got != want || fault.Hits() != 1 {
			t.Errorf("%s, want %s", got, want)
		}
		f.Off()
	}
	f.On(Truncate())
	if _, got := post(t, f, batch); json.Valid([]byte(got)) {
		t.Error(got)
	}
}

func TestConnectionsBreak(t *testing.T) {
	_, f := open(t)
	one := call("eth_chainId", "[]")
	hang := HangUp()
	f.On(hang)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	cut := 0
	for range 4 {
		response, err := client.Post(f.URL(), "application/json", strings.NewReader(one))
		if err != nil {
			cut++
			continue
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	if cut != 2 || hang.Hits() != 2 {
		t.Errorf("%d of 4 requests were cut", cut)
	}
	f.Off()
	f.On(Refuse())
	if response, got := post(t, f, one); response.StatusCode != 0 {
		t.Errorf("%s %s", response.Status, got)
	}
	f.Off()
	for name, fault := range map[string]*Fault{"silence": Silence(), "slow-loris": SlowLoris(time.Hour), "a terabyte": Flood(1 << 40)} {
		f.On(fault)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, f.URL(), strings.NewReader(one))
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err == nil {
			_, err = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
		if err == nil || fault.Hits() == 0 {
			t.Errorf("%s ended by itself", name)
		}
		cancel()
		f.Off()
	}
	if f.Sent() < 1<<20 {
		t.Errorf("the flood was %d bytes", f.Sent())
	}
	f.On(Flood(1000))
	if _, got := post(t, f, one); len(got) < 1000 || len(got) > 100_000 {
		t.Errorf("a flood of 1000 bytes has %d", len(got))
	}
}

func TestCallsAreExecutedInAnotherWay(t *testing.T) {
	node, f := open(t)
	nobody := node.Wallet(99)
	gas := func(asked string) string { // GAS, MSTORE, RETURN
		return call("eth_call", `[{"to":"`+nobody+`"`+asked+`},"latest",{"`+nobody+`":{"code":"0x5a60005260206000f3"}}]`)
	}
	cap100k := GasCap(100_000)
	for _, asked := range []string{"", `,"gas":"0x30d40"`} {
		expect(t, f, cap100k, gas(asked), `"result":"0x`+strings.Repeat("0", 59)+"1")
	}
	before := cap100k.Hits()
	f.On(cap100k)
	post(t, f, gas(`,"gas":"0xea60"`))
	if f.Off(); cap100k.Hits() != before {
		t.Error("a call below the cap was changed")
	}
	expect(t, f, RefuseOverrides(), gas(""), "-32602")
	expect(t, f, IgnoreOverrides(), gas(""), `"result":"0x"`)
	expect(t, f, RefuseInitcode(), call("eth_call", `[{"data":"0x5a60005260206000f3"},"latest"]`), "missing field")
	revert := call("eth_call", `[{"to":"`+node.Token("reverts").Address+`","data":"0x70a08231"},"latest"]`)
	expect(t, f, DropRevertData(), revert, `"message":"execution reverted: no balance here"}}`)
}

func TestALieIsTheSameHoweverOneAsks(t *testing.T) {
	node, f := open(t)
	token, wallet := node.Tokens()[0].Address, node.Wallet(3)
	lie, err := Lie(node, token, wallet, big.NewInt(0x1234567))
	if err != nil {
		t.Fatal(err)
	}
	balance := func(wallet, override string) string {
		return call("eth_call", `[{"to":"`+token+`","data":"0x70a08231`+strings.Repeat("0", 24)+wallet[2:]+`"},"latest"`+override+`]`)
	}
	expect(t, f, lie, balance(wallet, ""), `1234567"`)
	expect(t, f, lie, balance(wallet, `,{"`+node.Wallet(99)+`":{"code":"0x00"}}`), `1234567"`)
	f.On(lie)
	if _, got := post(t, f, balance(node.Wallet(4), "")); strings.Contains(got, "1234567") {
		t.Errorf("another wallet: %s", got)
	}
	f.Off()
	coin, err := Lie(node, "", wallet, big.NewInt(0x7654321))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, f, coin, call("eth_getBalance", `["`+strings.ToLower(wallet)+`","latest"]`), `"0x7654321"`)
	// BALANCE of the argument, MSTORE, RETURN.
	expect(t, f, coin, call("eth_call", `[{"to":"`+node.Wallet(99)+`","data":"0x`+strings.Repeat("0", 24)+wallet[2:]+`"},"latest",{"`+
		node.Wallet(99)+`":{"code":"0x6000353160005260206000f3"}}]`), `7654321"`)
	if _, err := Lie(node, node.Bad()[0].Address, wallet, big.NewInt(1)); err == nil {
		t.Error("a lie about a token that has no balance")
	}
}
