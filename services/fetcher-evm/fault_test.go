package fetcherevm

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/evmdev"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// refuseHashes makes the node one that does not take a block's hash for a block.
func refuseHashes(node *evmdev.Node) {
	named := regexp.MustCompile(`\{"blockHash":[^}]*\}`)
	node.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body) // of a client in this process
			r.Body = io.NopCloser(strings.NewReader(named.ReplaceAllString(string(body), `{"nonsense":1}`)))
			r.ContentLength = -1
			next.ServeHTTP(w, r)
		})
	})
}

// limit makes the node refuse batches above most elements, as geth does: in the name of the first.
func limit(node *evmdev.Node, most int) {
	rewrite(node, func(e exchange) string {
		if strings.HasPrefix(e.request, "[") && strings.Count(e.request, `"method"`) > most {
			return `[{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"batch too large"}}]`
		}
		return e.answer
	})
}

func TestBatchesShrinkToWhatTheNodeTakes(t *testing.T) {
	rows := 0
	for _, most := range []int{100, 7, 3, 1} {
		node := geth(t, chainID)
		limit(node, most)
		r := readerOf(t, setupAt(batch), chainOf(node.URL()))
		list := goodRows(node, 10)
		rows = len(list)
		mustBeTrue(t, node, list, r.Read(t.Context(), list, 0))
		before := node.Requests()
		mustBeTrue(t, node, list, r.Read(t.Context(), list, 0))
		// What was learnt is remembered: no request of the second read is refused, but the size may be smaller than allowed.
		if cost := node.Requests() - before; cost > int64(2*rows+3) {
			t.Errorf("batches of %d: the second read cost %d requests for %d rows", most, cost, rows)
		}
	}
}

func TestABodyThatIsTooLargeIsSplit(t *testing.T) {
	node := geth(t, chainID)
	node.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength > 4000 {
				http.Error(w, "content length too large (5600973>5242880)", http.StatusRequestEntityTooLarge)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	rows := goodRows(node, 20)
	mustBeTrue(t, node, rows, readerOf(t, setup(), chainOf(node.URL())).Read(t.Context(), rows, 0))
}

func TestANodeOfAnotherChainIsNeverRead(t *testing.T) {
	other := geth(t, chainID+1)
	r := readerOf(t, setup(), chainOf(other.URL()))
	outcomes := r.Read(t.Context(), goodRows(other, 5), 0)
	noValue(t, outcomes)
	if outcomes[0].Err.Code != wire.CodeWrongChain {
		t.Errorf("%+v", outcomes[0].Err)
	}
	if ready, states := r.fleet.process.Health.Ready(); ready || !strings.Contains(fmt.Sprint(states), "4712") {
		t.Errorf("ready %t: %v", ready, states)
	}
}

func TestANodeThatBecomesAnotherChainsIsFoundByItsNextAnswer(t *testing.T) {
	node, other := geth(t, chainID), geth(t, chainID+1)
	rows := goodRows(node, 5)
	for at := override; at <= single; at++ {
		node.Intercept(nil)
		r := readerOf(t, setupAt(at), chainOf(node.URL()))
		mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
		// The pin is fresh, so nothing but the reads themselves can notice. Blocks are named by number, which the other chain has too.
		for _, n := range r.fleet.nodes {
			n.mu.Lock()
			n.pinned.pin.byHash, n.pinned.pin.block = false, fmt.Sprintf(`"0x%x"`, n.pinned.pin.number)
			n.mu.Unlock()
		}
		node.Intercept(func(http.Handler) http.Handler { return proxyTo(other.URL()) })
		outcomes := r.Read(t.Context(), rows, 0)
		noValue(t, outcomes)
		if outcomes[0].Err.Code != wire.CodeWrongChain {
			t.Errorf("%s: %+v", at, outcomes[0].Err)
		}
		if r.fleet.pool.States()[0].Fault == nil {
			t.Error("the node is still in use")
		}
	}
}

// proxyTo passes requests on to another node.
func proxyTo(url string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		response, err := http.Post(url, "application/json", r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer response.Body.Close()
		_, _ = io.Copy(w, response.Body) // the client judges what it got
	})
}

func TestANodeThatIgnoresTheBlockIsNotUsed(t *testing.T) {
	node := geth(t, chainID)
	block := regexp.MustCompile(`("eth_getBalance","params":\["0x[0-9a-f]{40}",)(\{[^}]*\}|"0x[0-9a-f]+")`)
	node.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body) // of a client in this process
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(block.ReplaceAllString(string(body), `${1}"latest"`))), -1
			next.ServeHTTP(w, r)
		})
	})
	r := readerOf(t, setup(), chainOf(node.URL()))
	noValue(t, r.Read(t.Context(), goodRows(node, 5), 0))
}

func TestALaggingNodeIsPassedOver(t *testing.T) {
	node := geth(t, chainID)
	rows := goodRows(node, 5)
	c := chainOf(node.URL(), node.URL())
	r := readerOf(t, setupAt(batch), c)
	// The node says that it does not have the block, as one does that was behind another when the block was chosen.
	var lagging atomic.Int32
	rewrite(node, func(e exchange) string {
		if strings.HasPrefix(e.request, "[") && lagging.Add(1) == 1 {
			return regexp.MustCompile(`"result":"[^"]*"`).ReplaceAllString(e.answer, `"error":{"code":-32000,"message":"header for hash not found"}`)
		}
		return e.answer
	})
	outcomes := r.Read(t.Context(), rows, 0)
	mustBeTrue(t, node, rows, outcomes)
	if lagging.Load() < 2 {
		t.Error("no node was asked twice")
	}
	lagging.Store(-1000) // now a single endpoint, which lags for good
	one := readerOf(t, setupAt(batch), chainOf(node.URL()))
	rewrite(node, func(e exchange) string {
		if strings.HasPrefix(e.request, "[") {
			return regexp.MustCompile(`"result":"[^"]*"`).ReplaceAllString(e.answer, `"error":{"code":-32000,"message":"header not found"}`)
		}
		return e.answer
	})
	outcomes = one.Read(t.Context(), rows, 0)
	noValue(t, outcomes)
	if got := codes(outcomes); got["endpoint lagging"] != len(rows) {
		t.Errorf("%v", got)
	}
}

func TestAHeightThatTheChainCannotHaveReachedIsRefused(t *testing.T) {
	node, liar := geth(t, chainID), geth(t, chainID)
	rows := goodRows(node, 3)
	c := chainOf(node.URL(), node.URL(), liar.URL())
	r := readerOf(t, setupAt(batch), c) // in a batch nothing else shows that the height is a lie
	rewrite(liar, func(e exchange) string {
		return regexp.MustCompile(`"number":"0x[0-9a-f]+"`).ReplaceAllString(e.answer, `"number":"0x3b9aca00"`)
	})
	r.fleet.round(t.Context())
	for range 6 { // whoever is asked first
		outcomes := r.Read(t.Context(), rows, 0)
		mustBeTrue(t, node, rows, outcomes)
	}
	alone := readerOf(t, setupAt(batch), chainOf(node.URL(), liar.URL()))
	for range 4 {
		for _, o := range alone.Read(t.Context(), rows, 0) {
			if o.Proof != nil && o.Proof.Height > node.Head() {
				t.Fatalf("a value at block %d", o.Proof.Height)
			}
		}
	}
}

func TestAnotherEndpointServesTheRowsOfOneThatFails(t *testing.T) {
	faults := map[string]func(http.ResponseWriter, *http.Request){
		"closes the connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"answers HTML":          func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"is over its rate":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
		"refuses the key":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"has an error":          func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"redirects": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		},
		"never answers": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			good, bad := geth(t, chainID), geth(t, chainID)
			config := setup()
			config.Timeout = 500 * time.Millisecond
			r := readerOf(t, config, chainOf(bad.URL(), good.URL()))
			bad.Intercept(func(http.Handler) http.Handler { return http.HandlerFunc(fault) })
			rows := goodRows(good, 5)
			for range 3 {
				outcomes := r.Read(t.Context(), rows, 0)
				mustBeTrue(t, good, rows, outcomes)
				if outcomes[0].Proof.Endpoint != "node-1" {
					t.Fatalf("read at %s", outcomes[0].Proof.Endpoint)
				}
			}
		})
	}
}

func TestACallPastTheRateIsNotRepeatedBeforeItsTime(t *testing.T) {
	node := geth(t, chainID)
	r := readerOf(t, setup(), chainOf(node.URL()))
	node.Intercept(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusTooManyRequests)
		})
	})
	rows := goodRows(node, 5)
	noValue(t, r.Read(t.Context(), rows, 0))
	before := node.Requests()
	for range 20 {
		outcomes := r.Read(t.Context(), rows, 0)
		noValue(t, outcomes)
		if outcomes[0].Err.Code != wire.CodeRateLimited {
			t.Fatalf("%+v", outcomes[0].Err)
		}
	}
	r.fleet.round(t.Context())
	if cost := node.Requests() - before; cost != 0 {
		t.Errorf("%d requests while the node asked to be left alone", cost)
	}
}

func TestAnAnswerAboveTheCapIsNotRead(t *testing.T) {
	node := geth(t, chainID)
	config := setup()
	config.MaxAnswer = 64 << 10
	r := readerOf(t, config, chainOf(node.URL()))
	var sent atomic.Int64
	node.Intercept(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "[")
			for chunk := strings.Repeat(" ", 64<<10); r.Context().Err() == nil && sent.Load() < 1<<30; {
				n, err := io.WriteString(w, chunk)
				sent.Add(int64(n))
				if err != nil {
					return
				}
			}
		})
	})
	noValue(t, r.Read(t.Context(), goodRows(node, 2), 0))
	if sent.Load() >= 1<<30 {
		t.Error("a gigabyte was read")
	}
}

// panics is a way to a node on which our own code fails.
type panics struct{}

func (panics) RoundTrip(*http.Request) (*http.Response, error) { panic("of the transport") }

// A panic of a check would end the process, and every other chain's reading with it.
func TestAPanicInACheckIsTheEndpointsFailure(t *testing.T) {
	node := geth(t, chainID)
	r := readerOf(t, setup(), chainOf(node.URL(), node.URL()))
	r.fleet.nodes[r.fleet.pool.Endpoints()[0]].transport.client.Transport = panics{}
	r.fleet.round(t.Context())
	if states := r.fleet.pool.States(); states[0].Failures == 0 || states[1].Failures > 0 {
		t.Errorf("%+v", states)
	}
}
