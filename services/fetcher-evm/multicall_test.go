package fetcherevm

import (
	"bytes"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/evmdev"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// poison makes the node fail requests with more than one row of which one asks the token: as a token does that takes a
// Multicall3's whole gas, or makes the answers of a batch too large together. It counts the requests that failed.
func poison(node *evmdev.Node, mark, token, answer string) *atomic.Int32 {
	failed := &atomic.Int32{}
	needle := strings.ToLower(strings.TrimPrefix(token, "0x"))
	node.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			e := forward(next, r)
			if strings.Contains(e.request, mark) && strings.Contains(e.request, needle) && !strings.Contains(e.request, decimalsOf) {
				failed.Add(1)
				e.answer = strings.Replace(answer, `"id":1`, `"id":`+idOf(e.request), 1)
			}
			_, _ = io.WriteString(w, e.answer)
		})
	})
	return failed
}

func TestATokenThatSpoilsARequestIsFoundAndCostsItsNeighboursNothing(t *testing.T) {
	for _, tt := range []struct {
		at           rung
		mark, answer string
	}{
		{multicall, byMulticall, `{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"out of gas"}}`},
		{multicall, byMulticall, `{"jsonrpc":"2.0","id":1,"error":{"code":-32003,"message":"response too large"}}`},
		{batch, `[{"jsonrpc`, `[{"jsonrpc":"2.0","id":1,"error":{"code":-32003,"message":"response too large"}}]`},
	} {
		node := geth(t, chainID)
		rows := goodRows(node, 100)
		bad := node.Token("reverts")
		for i := range 40 {
			rows = append(rows, rowOf(tokenOf(bad), node.Wallet(i)))
		}
		rand.New(rand.NewPCG(3, 4)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		r := readerOf(t, setupAt(tt.at), chainOf(node.URL()))
		failed := poison(node, tt.mark, bad.Address, tt.answer)
		for i, o := range r.Read(t.Context(), rows, 0) {
			if rows[i].Asset.Contract == bad.Address {
				if o.Err == nil || o.Err.Class != wire.ClassRow || o.Err.Code != wire.CodeReverted {
					t.Errorf("%s: the bad token's row: %q %+v", tt.at, o.Raw, o.Err)
				}
				continue
			}
			mustBeTrue(t, node, rows[i:i+1], []fetch.Outcome{o})
			if o.Proof.Route != tt.at.String() {
				t.Errorf("%s: a neighbour was read by %s", tt.at, o.Proof.Route)
			}
		}
		if n := failed.Load(); n == 0 || n > 8 {
			t.Errorf("%s: %d requests failed for one of five assets", tt.at, n)
		}
		for _, n := range r.fleet.nodes {
			if size := n.ladder.sizes[tt.at].now(); size < min(100, firstSize) {
				t.Errorf("%s: size %d: a token's doing was taken for the endpoint's limit", tt.at, size)
			}
		}
	}
}

// A single wallet's row may spoil a request too: then the token's other rows are read in halves around it.
func TestAWalletThatSpoilsARequestCostsItsTokensOtherRowsNothing(t *testing.T) {
	node := geth(t, chainID)
	r := readerOf(t, setupAt(multicall), chainOf(node.URL()))
	rows := goodRows(node, 60)
	failed := poison(node, byMulticall, node.Wallet(17), `{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"out of gas"}}`)
	outcomes := r.Read(t.Context(), rows, 0)
	mustBeTrue(t, node, rows, outcomes)
	alone := 0
	for _, o := range outcomes {
		if o.Proof.Route != multicall.String() {
			alone++
		}
	}
	if alone < 4 || alone > 60 || failed.Load() > 40 {
		t.Errorf("%d rows were read alone, %d requests failed", alone, failed.Load())
	}
}

// One wallet that its token refuses says nothing of the others, whatever made the request fail.
func TestARowsOwnErrorIsNotItsTokensOtherRowsError(t *testing.T) {
	node := geth(t, chainID)
	refused := strings.ToLower(node.Wallet(0)[2:])
	r := readerOf(t, setupAt(multicall), chainOf(node.URL()))
	rewrite(node, func(e exchange) string {
		switch rows := strings.Count(e.request, balanceOf[2:10]); {
		case strings.Contains(e.request, byMulticall) && (rows > 10 || rows == 2): // the node's limit, or some other trouble of its
			return `{"jsonrpc":"2.0","id":` + idOf(e.request) + `,"error":{"code":-32000,"message":"out of gas"}}`
		case !strings.Contains(e.request, byMulticall) && strings.Contains(e.request, balanceOf) && strings.Contains(e.request, refused):
			return `{"jsonrpc":"2.0","id":` + idOf(e.request) + `,"error":{"code":3,"message":"execution reverted"}}`
		}
		return e.answer
	})
	var rows []fetch.Row
	for i := range 40 {
		rows = append(rows, rowOf(tokenOf(node.Tokens()[0]), node.Wallet(i)))
	}
	outcomes := r.Read(t.Context(), rows, 0)
	mustBeTrue(t, node, rows[1:], outcomes[1:])
	for range 30 { // which row is asked first is chance
		for _, n := range r.fleet.nodes {
			n.ladder.sizes[multicall] = newSizes(firstSize)
		}
		outcomes = r.Read(t.Context(), rows[:2], 0)
		mustBeTrue(t, node, rows[1:2], outcomes[1:])
		if err := outcomes[0].Err; err == nil || err.Class != wire.ClassRow || err.Code != wire.CodeReverted {
			t.Fatalf("the refused row: %q %+v", outcomes[0].Raw, err)
		}
	}
}

// A limit on gas looks like a token that takes it all, until no token turns out to.
func TestAMulticallThatIsTooLargeTeachesItsSize(t *testing.T) {
	node := geth(t, chainID)
	r := readerOf(t, setupAt(multicall), chainOf(node.URL()))
	node.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if q.ContentLength > 120_000 {
				body, _ := io.ReadAll(q.Body) // of a client in this process
				_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":`+idOf(string(body))+`,"error":{"code":-32000,"message":"out of gas"}}`)
				return
			}
			next.ServeHTTP(w, q)
		})
	})
	read(t, node, r, goodRows(node, 100), multicall)
	for _, n := range r.fleet.nodes {
		if size := n.ladder.sizes[multicall].now(); size > 250 {
			t.Errorf("size %d", size)
		}
	}
}

// aggregatedBy is what a Multicall3 returns for results.
func aggregatedBy(results ...result) []byte {
	text := appendWord(appendWord(nil, 32), uint64(len(results)))
	offset := 32 * len(results)
	for _, r := range results {
		text = appendWord(text, uint64(offset))
		offset += 96 + (len(r.data)+31)/32*32
	}
	for _, r := range results {
		ok := uint64(0)
		if r.ok {
			ok = 1
		}
		text = appendWord(appendWord(appendWord(text, ok), 64), uint64(len(r.data)))
		text = hex.AppendEncode(text, r.data)
		text = appendZeros(text, (32-len(r.data)%32)%32)
	}
	data, err := hex.DecodeString(string(text))
	if err != nil {
		panic(err)
	}
	return data
}

func TestAMulticallsAnswerIsReadStrictly(t *testing.T) {
	want := []result{{true, bytes.Repeat([]byte{7}, 32)}, {false, nil}, {true, []byte{1, 2, 3}}, {false, bytes.Repeat([]byte{9}, 100)}}
	data := aggregatedBy(want...)
	got, err := aggregated(data, len(want))
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if got[i].ok != want[i].ok || !bytes.Equal(got[i].data, want[i].data) {
			t.Errorf("result %d: %+v", i, got[i])
		}
	}
	for n := range data {
		if _, err := aggregated(data[:n], len(want)); err == nil {
			t.Errorf("the first %d of %d bytes were taken for an answer", n, len(data))
		}
	}
	for name, bad := range map[string][]byte{"trailing": append(bytes.Clone(data), 0), "a word more": append(bytes.Clone(data), make([]byte, 32)...)} {
		if _, err := aggregated(bad, len(want)); err == nil {
			t.Errorf("%s: taken for an answer", name)
		}
	}
	if _, err := aggregated(data, len(want)-1); err == nil {
		t.Error("more results than calls")
	}
	if _, err := aggregated(data, len(want)+1); err == nil {
		t.Error("fewer results than calls")
	}
	// No byte of the frame may be another; those of values and of what pads them are not ours to judge.
	for _, at := range []int{31, 63, 64 + 31, 64 + 32*4 + 31, 64 + 32*4 + 63, 64 + 32*4 + 95, 0, 70} {
		bad := bytes.Clone(data)
		bad[at] ^= 0x42
		if _, err := aggregated(bad, len(want)); err == nil {
			t.Errorf("byte %d may be anything", at)
		}
	}
}

func FuzzAggregated(f *testing.F) {
	f.Add(aggregatedBy(result{true, make([]byte, 32)}, result{false, []byte{1}}), 2)
	f.Add([]byte{}, 0)
	f.Fuzz(func(t *testing.T, data []byte, n int) {
		if n < 0 || n > 1000 {
			return
		}
		results, err := aggregated(data, n)
		if err != nil {
			return
		}
		again, err := aggregated(aggregatedBy(results...), n)
		if err != nil || !reflect.DeepEqual(results, again) {
			t.Errorf("%x: %v, written and read again %v (%v)", data, results, again, err)
		}
	})
}
