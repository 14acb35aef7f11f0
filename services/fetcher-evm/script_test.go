package fetcherevm

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
)

// script is a node without a network, in the place of an endpoint's transport, so that its time can be a test's own. It knows single
// calls and batches, a block a second, and balances that its wallets' addresses say.
type script struct {
	// fault is how it misbehaves, "" for not at all; asked for each request.
	fault func() string
	// requests counts all that came, batches those for balances, which are batches here.
	requests, batches atomic.Int64
}

// scripted puts a script in the place of each endpoint.
func scripted(r *reader, fault func() string) []*script {
	var list []*script
	for _, e := range r.fleet.pool.Endpoints() {
		s := &script{fault: fault}
		r.fleet.nodes[e].transport.client.Transport = s
		list = append(list, s)
	}
	return list
}

// asked counts the requests of all, and those for balances.
func asked(list []*script) (requests, batches int64) {
	for _, s := range list {
		requests += s.requests.Load()
		batches += s.batches.Load()
	}
	return requests, batches
}

// RoundTrip answers a request, or does not.
func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.requests.Add(1)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(body, []byte("[")) {
		s.batches.Add(1)
	}
	answer := func(status int, header http.Header, body io.Reader) (*http.Response, error) {
		return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Header: header, Body: io.NopCloser(body), Request: r}, nil
	}
	switch s.fault() {
	case "429":
		return answer(http.StatusTooManyRequests, http.Header{}, strings.NewReader(""))
	case "429 with Retry-After":
		return answer(http.StatusTooManyRequests, http.Header{"Retry-After": {"7"}}, strings.NewReader(""))
	case "503":
		return answer(http.StatusServiceUnavailable, http.Header{}, strings.NewReader("<html>down for maintenance</html>"))
	case "refused":
		return nil, syscall.ECONNREFUSED
	case "silence":
		<-r.Context().Done()
		return nil, r.Context().Err()
	case "slow-loris":
		return answer(http.StatusOK, http.Header{}, &trickle{r.Context(), scriptedAnswer(body)})
	}
	return answer(http.StatusOK, http.Header{}, bytes.NewReader(scriptedAnswer(body)))
}

// trickle gives a byte a second.
type trickle struct {
	ctx  context.Context
	left []byte
}

func (t *trickle) Read(p []byte) (int, error) {
	select {
	case <-t.ctx.Done():
		return 0, t.ctx.Err()
	case <-time.After(time.Second):
	}
	if len(t.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:1], t.left)
	t.left = t.left[n:]
	return n, nil
}

// asking is a call as the script reads it.
type asking struct {
	ID     json.RawMessage
	Method string
	Params []json.RawMessage
}

func scriptedAnswer(body []byte) []byte {
	var many []asking
	if json.Unmarshal(body, &many) == nil {
		parts := make([]string, len(many))
		for i, one := range many {
			parts[i] = one.answer()
		}
		return []byte("[" + strings.Join(parts, ",") + "]")
	}
	var one asking
	if json.Unmarshal(body, &one) != nil {
		return []byte("nonsense")
	}
	return []byte(one.answer())
}

func (a asking) answer() string {
	result := func(text string) string { return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":%s}`, a.ID, text) }
	refuse := func(message string) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32000,"message":%q}}`, a.ID, message)
	}
	head := time.Now().Unix() - 946_684_800 + 1000 // a bubble's clock begins in the year 2000
	known := func(block json.RawMessage) bool {
		height, err := parseHeight(strings.Trim(string(block), `"`))
		return err == nil && height <= head
	}
	switch a.Method {
	case "eth_chainId":
		return result(fmt.Sprintf(`"0x%x"`, chainID))
	case "eth_getBlockByNumber":
		height := head
		if string(a.Params[0]) != `"latest"` {
			if !known(a.Params[0]) {
				return result("null")
			}
			height, _ = parseHeight(strings.Trim(string(a.Params[0]), `"`)) // known has read it
		}
		return result(fmt.Sprintf(`{"number":"0x%x","hash":"0x%064x","parentHash":"0x%064x"}`, height, height, height-1))
	case "eth_getBalance":
		if !known(a.Params[1]) {
			return refuse("header not found")
		}
		held := strings.TrimLeft(strings.Trim(string(a.Params[0]), `"`)[2:], "0")
		return result(`"0x` + cmp.Or(held, "0") + `"`)
	}
	return refuse("execution reverted")
}

// scriptedRows are the native coin of n wallets; scriptedTruth is what each holds.
func scriptedRows(n int) []fetch.Row {
	rows := make([]fetch.Row, n)
	for i := range rows {
		rows[i] = rowOf(native(), fmt.Sprintf("0x%040x", 7_000_000+i))
	}
	return rows
}

func scriptedTruth(t *testing.T, row fetch.Row) string {
	t.Helper()
	value, ok := new(big.Int).SetString(row.Address[2:], 16)
	if !ok {
		t.Fatal(row.Address)
	}
	return value.String()
}
