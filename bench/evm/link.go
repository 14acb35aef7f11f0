package evm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// traffic is what went over a link. Bytes are those of the bodies.
type traffic struct{ Requests, Up, Down int64 }

func (t traffic) since(before traffic) traffic {
	return traffic{t.Requests - before.Requests, t.Up - before.Up, t.Down - before.Down}
}

// countersPath is where a link tells its traffic; no node answers there.
const countersPath = "/link-traffic"

// link passes requests on to a node, each after a round trip's time, and counts them.
type link struct {
	node string
	trip time.Duration
	to   *http.Client

	requests, up, down atomic.Int64
	server             *http.Server
	url                string
	done               chan error
}

// openLink listens on a free port of the loopback interface.
func openLink(node string, trip time.Duration) (*link, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	l := &link{node: node, trip: trip, url: "http://" + listener.Addr().String(), done: make(chan error, 1),
		to: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	l.server = &http.Server{Handler: l}
	go func() { l.done <- l.server.Serve(listener) }()
	return l, nil
}

// ServeHTTP answers with what the node answers.
func (l *link) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == countersPath {
		_ = json.NewEncoder(w).Encode(traffic{l.requests.Load(), l.up.Load(), l.down.Load()}) // the client judges what it got
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	l.requests.Add(1)
	l.up.Add(int64(len(body)))
	if l.trip > 0 {
		select {
		case <-r.Context().Done():
			return
		case <-time.After(l.trip):
		}
	}
	answer, status, err := l.ask(r, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	l.down.Add(int64(len(answer)))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

func (l *link) ask(r *http.Request, body []byte) ([]byte, int, error) {
	request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, l.node, bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := l.to.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return answer, response.StatusCode, err
}

func (l *link) close() error {
	err := l.server.Close()
	if ended := <-l.done; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
