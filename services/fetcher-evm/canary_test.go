package fetcherevm

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/evmdev"
	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// The keys, one in each place where providers want theirs. That of the query needs escaping, so it can come back in two forms.
const (
	userCanary   = "CANARY-user-0123456789"
	passCanary   = "CANARY-pass-0123456789"
	pathCanary   = "CANARY-path-0123456789"
	queryCanary  = "CANARY/query+0123456789="
	headerCanary = "CANARY-header-0123456789"
)

// withKeys puts the keys into an address that begins with a scheme.
func withKeys(address string) string {
	scheme, host, _ := strings.Cut(address, "://")
	return scheme + "://" + userCanary + ":" + passCanary + "@" + host + "/v3/" + pathCanary + "?key=" + url.QueryEscape(queryCanary)
}

// echo repeats something of a request, in the forms in which a gateway would: another one each time, since texts are cut.
type echo struct{ next atomic.Int32 }

func (e *echo) forms(r *http.Request) []string {
	user, pass, _ := r.BasicAuth()
	return []string{withKeys("http://" + r.Host), r.URL.String(), r.URL.Path, r.URL.RawQuery, r.URL.Query().Get("key"), url.QueryEscape(r.URL.String()), user, pass,
		user + ":" + pass, r.Header.Get("Authorization"), "Authorization: " + r.Header.Get("Authorization"), r.Header.Get("x-api-key"), "x-api-key: " + r.Header.Get("x-api-key")}
}

func (e *echo) of(r *http.Request) string {
	forms := e.forms(r)
	return forms[int(e.next.Add(1))%len(forms)]
}

// faultyNode is what a node does instead of answering; with is the node itself.
type faultyNode func(w http.ResponseWriter, r *http.Request, with http.Handler)

// status refuses with an HTTP status and repeats the request.
func (e *echo) status(code int) faultyNode {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		w.Header().Set("X-Reason", e.of(r))
		w.WriteHeader(code)
		_, _ = io.WriteString(w, "refused: "+e.of(r))
	}
}

// raw writes to the connection below HTTP.
func raw(text func(*http.Request) string) faultyNode {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, text(r)) // the client judges what it got
	}
}

// instead puts text, which is made of the request, in the place of what matches in the node's answer.
func (e *echo) instead(pattern, text string) faultyNode {
	matches := regexp.MustCompile(pattern)
	return func(w http.ResponseWriter, r *http.Request, with http.Handler) {
		said, _ := json.Marshal("said: " + e.of(r))
		answer := forward(with, r).answer
		_, _ = io.WriteString(w, matches.ReplaceAllLiteralString(answer, strings.ReplaceAll(text, "ECHO", string(said))))
	}
}

// errorPaths are the faults of a node that answers something.
func (e *echo) errorPaths() map[string]faultyNode {
	paths := map[string]faultyNode{
		"hang up": func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) },
		"silence": func(_ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() },
		"redirect": func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			http.Redirect(w, r, withKeys("http://127.0.0.1:1"), http.StatusFound)
		},
		"HTML": func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			_, _ = io.WriteString(w, "<html>"+e.of(r))
		},
		"text": func(w http.ResponseWriter, r *http.Request, _ http.Handler) { _, _ = io.WriteString(w, e.of(r)) },
		"a page with an error": func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, "<html>"+e.of(r))
		},
		"truncated": func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			w.Header().Set("Content-Length", "100000")
			_, _ = io.WriteString(w, `[{"jsonrpc":"2.0","error":"`+e.of(r))
		},
		"truncated refusal": func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			w.Header().Set("Content-Length", "100000")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, e.of(r))
		},
		"not HTTP":          raw(func(r *http.Request) string { return e.of(r) + "\r\n\r\n" }),
		"a bad status line": raw(func(r *http.Request) string { return "HTTP/1.1 " + e.of(r) + "\r\n\r\n" }),
		"a bad header":      raw(func(r *http.Request) string { return "HTTP/1.1 200 OK\r\n" + e.of(r) + "\r\n\r\n" }),
		"a bad length":      raw(func(r *http.Request) string { return "HTTP/1.1 200 OK\r\nContent-Length: " + pathCanary + "\r\n\r\n" }),
		"a telling status":  raw(func(r *http.Request) string { return "HTTP/1.1 500 " + e.of(r) + "\r\nContent-Length: 0\r\n\r\n" }),
		"an error":          e.instead(`"result":("[^"]*"|\{[^}]*\}|null)`, `"error":{"code":-32000,"message":ECHO}`),
		"a rate limit":      e.instead(`"result":("[^"]*"|\{[^}]*\}|null)`, `"error":{"code":-32005,"message":ECHO}`),
		"a revert":          e.instead(`"result":"0x[^"]{9,}"`, `"error":{"code":3,"message":ECHO}`),
		"an error as text":  e.instead(`"result":("[^"]*"|\{[^}]*\}|null)`, `"error":ECHO`),
		"a missing block":   e.instead(`"result":\{[^}]*\}`, `"error":{"code":-39001,"message":ECHO}`),
		"a balance":         e.instead(`"result":"0x[^"]{9,}"`, `"result":ECHO`),
		"a chain id":        e.instead(`"result":"0x1267"`, `"result":ECHO`),
		"another chain":     e.instead(`"result":"0x1267"`, `"result":"0x1"`),
		"a block number":    e.instead(`"number":"[^"]*"`, `"number":ECHO`),
		"a block hash":      e.instead(`"hash":"[^"]*"`, `"hash":ECHO`),
		"an id":             e.instead(`"id":[0-9]*`, `"id":ECHO`),
		"a version":         e.instead(`"jsonrpc":"2.0"`, `"jsonrpc":ECHO`),
	}
	for _, code := range []int{400, 401, 402, 403, 404, 405, 413, 429, 500, 502, 503, 504} {
		paths["HTTP "+strconv.Itoa(code)] = e.status(code)
	}
	return paths
}

// watched is a fleet with everything that can leave it.
type watched struct {
	*reader
	log      bytes.Buffer
	registry *prometheus.Registry
	told     strings.Builder
}

func watch(t *testing.T, address string) *watched {
	t.Helper()
	w := &watched{registry: prometheus.NewRegistry()}
	process := newProcess(&w.log)
	process.Metrics = w.registry
	config := setup()
	c := chainOf(withKeys(address))
	c.Endpoints[0].Headers = map[string]secret.Text{"x-api-key": secret.New(headerCanary)}
	c.Finality = chain.Finality{Tag: "safe"}
	f, err := newFleet(config, c, process)
	if err != nil {
		t.Fatal(err)
	}
	w.reader = &reader{fleet: f, gas: config.Gas, maxGas: config.MaxGas}
	return w
}

// read reads and checks, admits what was taken out, and keeps what rows and the readiness page are told.
func (w *watched) read(t *testing.T, rows []fetch.Row) {
	t.Helper()
	for _, n := range w.fleet.nodes {
		n.transport.timeout = 100 * time.Millisecond // for a node that is silent
	}
	for range 2 {
		w.fleet.round(t.Context())
		_, states := w.fleet.process.Health.Ready()
		fmt.Fprintln(&w.told, states)
		for _, n := range w.fleet.nodes {
			n.member.Admit() // so that reads meet the fault too
			n.member.Succeeded()
		}
		for _, o := range w.Read(t.Context(), rows, 0) {
			if o.Err != nil {
				fmt.Fprintln(&w.told, o.Err.Message)
			}
		}
	}
}

// all gives whatever left the fleet so far.
func (w *watched) all() string {
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(w.registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.told.String() + w.log.String() + answer.Body.String()
}

// mustKeep fails the test if anything that left holds a key, in whatever form.
func (w *watched) mustKeep(t *testing.T, what string) {
	t.Helper()
	text := w.all()
	if !strings.Contains(text, "balsync_upstream_endpoint_usable") || w.told.Len() == 0 || w.log.Len() == 0 {
		t.Fatalf("%s: nothing was told:\n%s", what, text)
	}
	basic := base64.StdEncoding.EncodeToString([]byte(userCanary + ":" + passCanary))
	for line := range strings.Lines(text) {
		if strings.Contains(line, "CANARY") || strings.Contains(line, basic) || strings.Contains(line, basic[8:40]) {
			t.Errorf("%s: %s", what, line)
		}
	}
}

func TestNoKeyLeavesTheFetcherByAnyErrorPath(t *testing.T) {
	node := geth(t, chainID)
	rows := canaryRows(node)
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS() // with a certificate that nobody vouches for
	defer secure.Close()
	host := strings.TrimPrefix(node.URL(), "http://")
	for what, address := range map[string]string{
		"refused": "http://127.0.0.1:1", "no such host": "http://no..such.host", "no TLS": "https://" + host, "unknown certificate": secure.URL, "bad URL": "http://" + host + "/%zz",
	} {
		w := watch(t, address)
		w.read(t, rows)
		w.mustKeep(t, what)
	}
	var e echo
	paths := e.errorPaths()
	for _, what := range slices.Sorted(maps.Keys(paths)) {
		fault := paths[what]
		for _, when := range []string{"from the start", "later", "from the start, again", "later again"} { // until every form was repeated
			node.Intercept(nil)
			w := watch(t, node.URL())
			if strings.HasPrefix(when, "later") {
				w.fleet.round(t.Context())
				mustBeTrue(t, node, rows, w.Read(t.Context(), rows, 0))
			}
			node.Intercept(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fault(w, r, next) })
			})
			w.read(t, rows)
			w.mustKeep(t, what+" "+when)
		}
	}
}

// canaryRows are a coin and a token.
func canaryRows(node *evmdev.Node) []fetch.Row { return goodRows(node, 2)[4:6] }
