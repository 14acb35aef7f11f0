package fetcherevm

import (
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// The single call that confirms gives a value: the token answers, but not to contracts. That is no fault of the node's.
func TestATokenThatRefusesContractsIsReadFromOutside(t *testing.T) {
	node := geth(t, chainID)
	r := readerOf(t, setup(), chainOf(node.URL()))
	shy, refusing := strings.ToLower(node.Tokens()[0].Address[2:]), strings.ToLower(node.Token("reverts").Address[2:])
	alter(node, func(request string) string {
		if strings.Contains(request, byOverride) {
			return strings.Replace(request, shy, refusing, 1)
		}
		return request
	})
	rows := goodRows(node, 40)
	for range 3 {
		outcomes := r.Read(t.Context(), rows, 0)
		mustBeTrue(t, node, rows, outcomes)
		for i, o := range outcomes {
			if outside := i%4 == 1; outside != (o.Proof.Route != override.String()) {
				t.Errorf("row %d was read by %s", i, o.Proof.Route)
			}
		}
	}
	if n := testutil.ToFloat64(r.fleet.metrics.confirmations.WithLabelValues("overturned")); n != 40 {
		t.Errorf("%v rows were overturned, want those of the first reading only", n)
	}
	if n := testutil.CollectAndCount(r.fleet.metrics.demotions); n != 0 {
		t.Errorf("%d demotions", n)
	}
	r.fleet.tokens.mu.Lock()
	for token := range r.fleet.tokens.apart {
		r.fleet.tokens.apart[token] = time.Now()
	}
	r.fleet.tokens.mu.Unlock()
	node.Intercept(nil)
	read(t, node, r, rows, override)
}

func TestAGoodTokenThatTakesMuchGasIsScannedInSmallRequests(t *testing.T) {
	for _, at := range []rung{override, create} {
		node := geth(t, chainID)
		r := readerOf(t, setupAt(at), chainOf(node.URL()))
		asset := tokenOf(node.Token("returns-megabyte"))
		rows := goodRows(node, 10)
		for i := range 45 {
			rows = append(rows, rowOf(asset, node.Wallet(i)))
		}
		before := node.Requests()
		read(t, node, r, rows, at)
		if cost := node.Requests() - before; cost > 12 {
			t.Errorf("%s: %d requests", at, cost)
		}
	}
}

func TestARowCostsFewAllocations(t *testing.T) {
	node := geth(t, chainID)
	r := readerOf(t, setup(), chainOf(node.URL()))
	var rows []fetch.Row
	for range 10 {
		rows = append(rows, goodRows(node, 100)...)
	}
	for i := range rows { // without a checksum to hash
		rows[i].Address = strings.ToLower(rows[i].Address)
	}
	calls, outcomes := plan(rows)
	at := &reading{reader: r, outcomes: outcomes}
	for _, n := range r.fleet.nodes {
		at.node = n
	}
	if f := at.open(t.Context()); f != nil {
		t.Fatal(f)
	}
	var answer []byte
	rewrite(node, func(e exchange) string {
		if strings.Contains(e.request, byOverride) {
			answer = []byte(e.answer)
		}
		return e.answer
	})
	if a := at.scan(t.Context(), override, calls, 300_000); a.failed != nil {
		t.Fatal(a.failed)
	}
	id := at.node.ids.Load()
	perRow := testing.AllocsPerRun(10, func() {
		calls, _ := plan(rows)
		if _, err := scanInput(override, calls, 300_000); err != nil {
			t.Fatal(err)
		}
		data, f := decodeData(answer, id)
		if f != nil {
			t.Fatal(f)
		}
		if a := at.scanned(data, override, calls); a.failed != nil {
			t.Fatal(a.failed)
		}
	}) / float64(len(rows))
	if perRow > 1.1 {
		t.Errorf("%.2f allocations a row, want its amount and little more", perRow)
	}
}
