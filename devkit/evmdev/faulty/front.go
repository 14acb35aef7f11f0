package faulty

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// mostBody bounds what is read of a request, in bytes.
const mostBody = 64 << 20

// Front is a proxy in front of one node. Its methods may be called concurrently.
type Front struct {
	server   *http.Server
	url      string
	client   *http.Client
	requests atomic.Int64
	calls    atomic.Int64
	sent     atomic.Int64

	mu     sync.Mutex // guards below
	target string
	faults []*Fault
}

// Open listens on a free port of loopback and passes on to the node at target. It is closed at the test's end, whatever hangs.
func Open(t testing.TB, target string) *Front {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &Front{url: "http://" + listener.Addr().String(), target: target, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
	f.server = &http.Server{Handler: f, ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, served{}, new(atomic.Int64))
	}}
	ended := make(chan error, 1)
	go func() { ended <- f.server.Serve(listener) }()
	t.Cleanup(func() {
		_ = f.server.Close() // cuts what is under way
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		f.client.CloseIdleConnections()
	})
	return f
}

// served is the key of a connection's count of requests.
type served struct{}

// URL is where the front answers.
func (f *Front) URL() string { return f.url }

// Requests counts the HTTP requests that came, Calls the JSON-RPC calls in them.
func (f *Front) Requests() int64 { return f.requests.Load() }

// Calls counts the JSON-RPC calls that came, each element of a batch as one.
func (f *Front) Calls() int64 { return f.calls.Load() }

// Sent counts the bytes of the answers' bodies that faults sent.
func (f *Front) Sent() int64 { return f.sent.Load() }

// On turns faults on, after those that are on already.
func (f *Front) On(faults ...*Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fault := range faults {
		if !slices.Contains(f.faults, fault) {
			f.faults = append(f.faults, fault)
		}
	}
}

// Off turns faults off, all of them if none is named. A request under way keeps those that it came in with.
func (f *Front) Off(faults ...*Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = slices.DeleteFunc(f.faults, func(on *Fault) bool { return len(faults) == 0 || slices.Contains(faults, on) })
}

// Swap puts another node behind the front, as a provider does behind an address.
func (f *Front) Swap(target string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.target = target
}

// ServeHTTP answers one request.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.requests.Add(1)
	if n, ok := r.Context().Value(served{}).(*atomic.Int64); ok {
		n.Add(1)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, mostBody))
	if err != nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
	f.mu.Lock()
	x := &exchange{front: f, target: f.target, faults: slices.Clone(f.faults), body: body}
	f.mu.Unlock()
	x.batch, x.calls = decode(body)
	f.calls.Add(int64(len(x.calls)))
	for _, fault := range x.faults {
		if fault.serve != nil && fault.serve(x, &counter{w, &f.sent}, r) {
			return
		}
	}
	status, answer, err := x.answer(r.Context())
	if err != nil {
		http.Error(w, fmt.Sprintf("faulty: %v", err), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	for _, fault := range x.faults {
		if fault.send != nil {
			fault.send(&counter{w, &f.sent}, r, answer)
			return
		}
	}
	w.WriteHeader(status)
	_, _ = w.Write(answer) // the client judges what it got
}

// post sends a body to a node and gives status and body of the answer.
func (f *Front) post(ctx context.Context, target string, body []byte) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := f.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// counter counts what a fault writes.
type counter struct {
	http.ResponseWriter
	sent *atomic.Int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.sent.Add(int64(n))
	return n, err
}

// Flush sends what was written.
func (c *counter) Flush() {
	if flusher, ok := c.ResponseWriter.(http.Flusher); ok {
		flusher.Flush()
	}
}
