package evmdev

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/rpc"
)

// front is the node's HTTP side: geth's own handlers behind a server that counts and that lets a
// test step in between.
type front struct {
	url    string
	server *http.Server
	done   chan error // what Serve ended with

	node   http.Handler                 // geth, undisturbed
	now    atomic.Pointer[http.Handler] // what answers: geth, or a fault before it
	served atomic.Int64
}

// openFront serves on a free port of the loopback interface.
func openFront(handler *rpc.Server) (*front, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	f := &front{
		url:  "http://" + listener.Addr().String(),
		done: make(chan error, 1),
		node: node.NewHTTPHandlerStack(handler, nil, nil, nil, false),
	}
	f.now.Store(&f.node)
	f.server = &http.Server{
		Handler:           f,
		ReadTimeout:       rpc.DefaultHTTPTimeouts.ReadTimeout,
		ReadHeaderTimeout: rpc.DefaultHTTPTimeouts.ReadHeaderTimeout,
		WriteTimeout:      rpc.DefaultHTTPTimeouts.WriteTimeout,
		IdleTimeout:       rpc.DefaultHTTPTimeouts.IdleTimeout,
	}
	go func() { f.done <- f.server.Serve(listener) }()
	return f, nil
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.served.Add(1)
	(*f.now.Load()).ServeHTTP(w, r)
}

// close frees the port and cuts what is under way; it does not wait for a fault that hangs.
func (f *front) close() error {
	err := f.server.Close()
	if ended := <-f.done; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	if err != nil {
		return fmt.Errorf("close front: %w", err)
	}
	return nil
}

// URL is where the node answers JSON-RPC: http://127.0.0.1 and its port.
func (n *Node) URL() string { return n.front.url }

// Requests counts the HTTP requests since the start, those that a fault answered included. A batch
// is one request.
func (n *Node) Requests() int64 { return n.front.served.Load() }

// Intercept puts a handler before the node, from the next request on: wrap gets the node itself
// and answers in its place, or passes on to it. It replaces the handler set before; nil takes it
// away. Requests under way keep the handler they came in with.
func (n *Node) Intercept(wrap func(next http.Handler) http.Handler) {
	handler := n.front.node
	if wrap != nil {
		handler = wrap(n.front.node)
	}
	n.front.now.Store(&handler)
}
