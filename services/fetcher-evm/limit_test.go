package fetcherevm

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/evmdev"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// refuseBalances puts a JSON-RPC error in the place of every balance, which the chain id is too short for.
func refuseBalances(node *evmdev.Node, reads *atomic.Int32, code int, message string) {
	balance := regexp.MustCompile(`"eth_(getBalance|call)"`)
	result := regexp.MustCompile(`"result":"0x[^"]{9,}"`)
	rewrite(node, func(e exchange) string {
		if !balance.MatchString(e.request) {
			return e.answer
		}
		reads.Add(1)
		return result.ReplaceAllString(e.answer, fmt.Sprintf(`"error":{"code":%d,"message":%q}`, code, message))
	})
}

func TestASuspensionInWordsIsWaitedOut(t *testing.T) {
	const text = "request rate exceeded the allowed_rps(10), and the query server is suspended for 77 s"
	answers := map[string]func(http.ResponseWriter){
		"in a JSON-RPC error": func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"`+text+`"}}`)
		},
		"in an object of its own": func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"Error":"`+text+`"}`) },
		"with HTTP 403":           func(w http.ResponseWriter) { http.Error(w, `{"Error":"`+text+`"}`, http.StatusForbidden) },
		"with HTTP 429":           func(w http.ResponseWriter) { http.Error(w, text, http.StatusTooManyRequests) },
		"with a shorter header": func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "3")
			http.Error(w, text, http.StatusTooManyRequests)
		},
	}
	node := geth(t, chainID)
	rows := goodRows(node, 2)
	for name, answer := range answers {
		node.Intercept(nil)
		r := readerOf(t, setup(), chainOf(node.URL()))
		before := r.fleet.pool.States()[0].Concurrency
		node.Intercept(func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w) })
		})
		outcomes := r.Read(t.Context(), rows, 0)
		noValue(t, outcomes)
		s := r.fleet.pool.States()[0]
		if left := time.Until(s.Until); outcomes[0].Err.Code != wire.CodeRateLimited || left < time.Minute || left > 77*time.Second {
			t.Errorf("%s: %s, left alone for %v", name, outcomes[0].Err.Code, left)
		}
		if s.Concurrency != before/2 {
			t.Errorf("%s: %d requests at once, %d before", name, s.Concurrency, before)
		}
	}
}

// A contract writes the text of its own revert: it must not take an endpoint out.
func TestATokenCannotSuspendAnEndpoint(t *testing.T) {
	node := geth(t, chainID)
	r := readerOf(t, setup(), chainOf(node.URL()))
	refuseBalances(node, &atomic.Int32{}, 3, "execution reverted: too many requests, the query server is suspended for 600s")
	outcomes := r.Read(t.Context(), []fetch.Row{rowOf(token(node.Tokens()[0].Address), node.Wallet(1))}, 0)
	noValue(t, outcomes)
	if s := r.fleet.pool.States()[0]; outcomes[0].Err.Class != wire.ClassRow || s.Fault != nil || !s.Until.IsZero() || s.Concurrency != 2 {
		t.Errorf("%+v, endpoint %+v", outcomes[0].Err, s)
	}
}

// Nodes that lack a block do nothing wrong, so nothing but the retry budget keeps each row from being asked for three times.
func TestReadsThatNoEndpointCanServeAreSeldomAskedForElsewhere(t *testing.T) {
	const reads = 100
	node := geth(t, chainID)
	r := readerOf(t, setup(), chainOf(node.URL(), node.URL(), node.URL()))
	var asked atomic.Int32
	refuseBalances(node, &asked, -32000, "header not found")
	row := []fetch.Row{rowOf(native(), node.Wallet(1))}
	per := func(n int32) {
		for range n {
			noValue(t, r.Read(t.Context(), row, 0))
		}
	}
	per(1) // three endpoints: a first try and two retries
	cost := asked.Load() / 3
	per(reads - 1)
	if most := cost * (reads + reads/5 + 10); asked.Load() > most {
		t.Errorf("%d requests for %d readings of %d, want %d at most", asked.Load(), reads, cost, most)
	}
}

// What a provider suspends is the key, whatever chain is asked for with it.
func TestChainsOfOneKeyRestTogether(t *testing.T) {
	node := geth(t, chainID)
	config := setup()
	for _, name := range []string{"one", "two"} {
		c := chainOf(node.URL(), node.URL())
		c.Name = name
		c.Endpoints[1].Budget, c.Endpoints[1].Concurrency = "provider", 1
		config.Chains = append(config.Chains, c)
	}
	fleets, err := newFleets(config, newProcess(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fleets {
		f.round(t.Context())
		if s := f.pool.States(); s[0].Concurrency != 2 || s[1].Concurrency != 1 {
			t.Errorf("%+v", s)
		}
	}
	fleets[0].nodes[fleets[0].pool.Endpoints()[1]].blame(&failure{class: limited, text: "HTTP 429", pause: time.Minute})
	for _, f := range fleets {
		if s := f.pool.States(); s[0].Fault != nil || s[1].Fault == nil {
			t.Errorf("%+v", s)
		}
	}
	before := node.Requests()
	row := []fetch.Row{rowOf(native(), node.Wallet(1))}
	for range 4 {
		outcomes := (&reader{fleet: fleets[1], gas: config.Gas, maxGas: config.MaxGas}).Read(t.Context(), row, 0)
		mustBeTrue(t, node, row, outcomes)
		if outcomes[0].Proof.Endpoint != "node-0" {
			t.Errorf("read at %s, whose key is suspended", outcomes[0].Proof.Endpoint)
		}
	}
	if node.Requests() == before {
		t.Error("nothing was asked")
	}
}

func TestEndpointsAreMeasuredByTheirReads(t *testing.T) {
	node := geth(t, chainID)
	r := readerOf(t, setup(), chainOf(node.URL()))
	if s := r.fleet.pool.States()[0]; s.Latency != 0 {
		t.Errorf("%v from checks alone", s.Latency)
	}
	rows := goodRows(node, 2)
	mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
	if s := r.fleet.pool.States()[0]; s.Latency <= 0 {
		t.Error("a read was not measured")
	}
}
