package fetcherevm

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balance-sync/balance-sync/devkit/evmdev"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// mixedRows are good, odd and bad tokens and the coin, of n wallets each, in no order.
func mixedRows(node *evmdev.Node, n int) []fetch.Row {
	rows := goodRows(node, n)
	for i, t := range append(node.Odd(), node.Bad()...) {
		if t.Name == "proxy" {
			continue
		}
		asset := tokenOf(t)
		for w := range 5 {
			rows = append(rows, rowOf(asset, node.Wallet(10*i+w)))
		}
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	return rows
}

// refuse answers requests that contain a text with an error, as a node does that knows no such thing.
func refuse(node *evmdev.Node, part, answer string) {
	rewrite(node, func(e exchange) string {
		if strings.Contains(e.request, part) {
			return answer
		}
		return e.answer
	})
}

// What marks the request of a rung.
var (
	byOverride  = `{"code":"0x`
	byInitcode  = `[{"data":"0x`
	byMulticall = `"data":"0x` + aggregate3
)

func TestANodeIsReadOnTheBestRungThatItHas(t *testing.T) {
	const thirdParam = `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Expected between 1 and 2 arguments and got 3"}}`
	const ignored = `{"jsonrpc":"2.0","id":1,"result":"0x"}`
	for _, tt := range []struct {
		name   string
		refuse map[string]string
		want   rung
	}{
		{"all", nil, override},
		{"overrides are refused", map[string]string{byOverride: thirdParam}, create},
		{"overrides are ignored", map[string]string{byOverride: ignored}, create},
		{"neither overrides nor initcode", map[string]string{byOverride: ignored, byInitcode: `{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"to is required"}}`}, multicall},
		{"another contract where Multicall3 should be", map[string]string{byOverride: thirdParam, byInitcode: thirdParam, byMulticall: ignored}, batch},
		{"no contract where Multicall3 should be", map[string]string{byOverride: thirdParam, byInitcode: thirdParam, byMulticall: ignored, "eth_getCode": ignored}, batch},
		{"nothing but single calls", map[string]string{byOverride: thirdParam, byInitcode: thirdParam, byMulticall: ignored, `[{"jsonrpc`: `{"jsonrpc":"2.0","error":{"code":-32600,"message":"batches are off"}}`}, single},
	} {
		t.Run(tt.name, func(t *testing.T) {
			node := geth(t, chainID)
			fault := func(e exchange) string {
				for part, answer := range tt.refuse {
					if strings.Contains(e.request, part) {
						return strings.Replace(answer, `"id":1`, `"id":`+idOf(e.request), 1)
					}
				}
				return e.answer
			}
			rows := goodRows(node, 100)
			// Found out by the probe, at the start.
			rewrite(node, fault)
			r := readerOf(t, setup(), chainOf(node.URL()))
			read(t, node, r, rows, tt.want)
			if demotions := testutil.CollectAndCount(r.fleet.metrics.demotions); demotions != 0 {
				t.Errorf("%d demotions of what was never used", demotions)
			}
			// Found out by reading, when it begins later. The rows of the claim in hand are read all the same.
			node.Intercept(nil)
			r = readerOf(t, setup(), chainOf(node.URL()))
			read(t, node, r, rows, override)
			rewrite(node, fault)
			outcomes := r.Read(t.Context(), rows, 0)
			mustBeTrue(t, node, rows, outcomes)
			read(t, node, r, rows, tt.want)
			if tt.want > override {
				if n := testutil.ToFloat64(r.fleet.metrics.demotions.WithLabelValues("node-0", override.String())); n != 1 {
					t.Errorf("%v demotions from the override", n)
				}
			}
			// The probe that follows shows what the node can do, but a rung that failed is not trusted at once.
			node.Intercept(nil)
			r.fleet.round(t.Context())
			read(t, node, r, rows, tt.want)
			forgive(r)
			r.fleet.round(t.Context())
			read(t, node, r, rows, override)
		})
	}
}

// forgive lets the time of the last probe pass, and that of rungs that failed.
func forgive(r *reader) {
	for _, n := range r.fleet.nodes {
		n.ladder.mu.Lock()
		n.ladder.left = perRung[time.Time]{}
		n.ladder.mu.Unlock()
		n.mu.Lock()
		n.probed = time.Time{}
		n.mu.Unlock()
	}
}

// read reads rows that must be true, and by the route.
func read(t *testing.T, node *evmdev.Node, r *reader, rows []fetch.Row, at rung) {
	t.Helper()
	outcomes := r.Read(t.Context(), rows, 0)
	mustBeTrue(t, node, rows, outcomes)
	for i, o := range outcomes {
		if o.Proof.Route != at.String() {
			t.Fatalf("row %d was read by %s, want %s", i, o.Proof.Route, at)
		}
	}
	if n := testutil.ToFloat64(r.fleet.metrics.rung.WithLabelValues("node-0")); n != float64(at) {
		t.Errorf("the metric says rung %v, want %d", n, at)
	}
}

// idOf is the id of a request, the first of a batch.
func idOf(request string) string {
	_, rest, _ := strings.Cut(request, `"id":`)
	id, _, _ := strings.Cut(rest, ",")
	return id
}

func TestARungIsLeftAfterTwoFailuresInARow(t *testing.T) {
	l := newLadder(override, 100)
	l.found(perRung[bool]{override: true, multicall: true, batch: true})
	if l.stumbled(override) {
		t.Error("left after one failure")
	}
	l.worked(override)
	if l.stumbled(override) {
		t.Error("left after two failures with a success between them")
	}
	if !l.stumbled(override) || l.from(override, perRung[bool]{}) != multicall {
		t.Errorf("two in a row: rung %s", l.from(override, perRung[bool]{}))
	}
	if l.stumbled(override) {
		t.Error("left twice")
	}
	if l.from(override, perRung[bool]{multicall: true}) != batch || l.from(single, perRung[bool]{}) != single {
		t.Error("rungs to avoid are given")
	}
}

func TestARungThatFailedIsNotTriedBeforeTheNextRegularProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLadder(override, 100)
		all := perRung[bool]{override: true, create: true}
		l.found(all)
		l.stumbled(override)
		l.stumbled(override)
		<-time.After(probeAge - time.Second)
		l.found(all)
		if at := l.from(override, perRung[bool]{}); at != create {
			t.Errorf("%s before its time", at)
		}
		<-time.After(time.Second)
		if at := l.from(override, perRung[bool]{}); at != override {
			t.Errorf("%s after its time", at)
		}
	})
}

func TestARungThatGivesOtherBalancesIsNotUsed(t *testing.T) {
	node := geth(t, chainID)
	// It reads another wallet's coin in the place of the zero address's.
	zero := strings.Repeat("0", 40)
	alter(node, func(request string) string {
		if !strings.Contains(request, byOverride) {
			return request
		}
		return strings.Replace(request, "0002"+zero+zero, "0002"+zero+strings.ToLower(node.Wallet(3)[2:]), 1)
	})
	read(t, node, readerOf(t, setup(), chainOf(node.URL())), goodRows(node, 10), create)
}
