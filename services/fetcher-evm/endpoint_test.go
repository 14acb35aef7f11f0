package fetcherevm

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/secret"
)

// hangUp is a server that closes each connection without an answer after it has answered ok requests on it.
func hangUp(t *testing.T, answers int) (url string, requests *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	requests = &atomic.Int32{}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				reader := bufio.NewReader(conn)
				for i := 0; ; i++ {
					request, err := http.ReadRequest(reader)
					if err != nil {
						return
					}
					requests.Add(1)
					if i >= answers {
						return
					}
					if _, err := reader.Discard(int(request.ContentLength)); err != nil {
						return
					}
					_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"))
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String(), requests
}

func TestADeadKeptAliveConnectionIsTriedAgainOnce(t *testing.T) {
	url, requests := hangUp(t, 1)
	var resent atomic.Int32
	tr := newTransport(chain.Endpoint{URL: secret.New(url)}, 2*time.Second, 4, func() { resent.Add(1) })
	for i := range 3 { // each but the first finds a connection that the server is about to close
		if _, f := tr.post(t.Context(), []byte("{}"), 1<<20); f != nil {
			t.Fatalf("request %d: %v", i, f)
		}
	}
	if resent.Load() != 2 || requests.Load() != 5 {
		t.Errorf("%d sent again, %d requests; want 2 and 5", resent.Load(), requests.Load())
	}
}

func TestANewConnectionThatDiesIsNotTriedAgain(t *testing.T) {
	url, requests := hangUp(t, 0)
	tr := newTransport(chain.Endpoint{URL: secret.New(url)}, 2*time.Second, 4, func() { t.Error("sent again") })
	if _, f := tr.post(t.Context(), []byte("{}"), 1<<20); f == nil || f.class != down {
		t.Errorf("%v", f)
	}
	if requests.Load() != 1 {
		t.Errorf("%d requests", requests.Load())
	}
}

const canary = "CANARY0123456789abcdef"

// go-ethereum's errors, and net/http's, hold the URL with its key.
func TestNoErrorHoldsASecret(t *testing.T) {
	node := geth(t, chainID)
	host := strings.TrimPrefix(node.URL(), "http://")
	echo := func(w http.ResponseWriter, r *http.Request) { // a gateway that repeats what it was sent
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("key " + r.URL.String() + " " + r.Header.Get("x-api-key") + " is not known"))
	}
	faults := map[string]func(http.ResponseWriter, *http.Request){
		"echo": echo, "hang up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"silence":  func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/"+canary, http.StatusFound) },
	}
	urls := map[string]string{
		"path": "http://" + host + "/v3/" + canary, "query": "http://" + host + "/?key=" + canary, "user": "http://u:" + canary + "@" + host,
		"no server": "http://127.0.0.1:1/" + canary, "bad": "http://" + host + "/%zz" + canary,
	}
	for where, url := range urls {
		for what, fault := range faults {
			node.Intercept(func(http.Handler) http.Handler { return http.HandlerFunc(fault) })
			c := chainOf(url)
			c.Endpoints[0].Headers = map[string]secret.Text{"x-api-key": secret.New(canary + "HEADER")}
			var log bytes.Buffer
			config := setup()
			config.Timeout = 100 * time.Millisecond
			f, err := newFleet(config, c, newProcess(&log))
			if err != nil {
				t.Fatal(err)
			}
			r := &reader{fleet: f, gas: config.Gas, maxGas: config.MaxGas}
			f.round(t.Context())
			for _, n := range f.nodes {
				n.member.Admit() // so that reads reach the fault too
			}
			outcomes := r.Read(t.Context(), []fetch.Row{rowOf(native(), node.Wallet(1))}, 0)
			noValue(t, outcomes)
			_, states := f.process.Health.Ready()
			text := outcomes[0].Err.Message + log.String()
			for _, state := range states {
				text += state
			}
			if strings.Contains(text, canary) {
				t.Errorf("%s, %s: %s", where, what, text)
			}
		}
	}
}
