// Package fault breaks what lies between a client and a server, for tests of what happens after an effect took place
// and before its answer arrived.
package fault

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy passes TCP connections on to one server. Its methods may be called concurrently.
type Proxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex            // guards below
	links map[net.Conn]struct{} // both ends of every open connection
	deaf  bool
	ended bool
}

// NewProxy listens on a free port of 127.0.0.1 and passes on to target (host:port). It is closed at the test's cleanup.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: listener, target: target, links: map[net.Conn]struct{}{}}
	var group sync.WaitGroup
	group.Go(func() {
		if err := p.accept(&group); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		p.end()
		group.Wait()
	})
	return p
}

// Addr is where clients connect: 127.0.0.1:PORT.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Deafen keeps from the clients what the server says from now on, while the server still hears the clients: an effect takes place
// and its answer is lost. [Proxy.Cut] ends it.
func (p *Proxy) Deafen() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deaf = true
}

// Cut closes every connection, as a broken network does. New ones are passed on, both ways.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deaf = false
	p.closeLinks()
}

func (p *Proxy) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	_ = p.listener.Close() // accept tells if it ends for another reason
	p.closeLinks()
}

// closeLinks needs mu. What closing says does not matter: the connections are to be broken.
func (p *Proxy) closeLinks() {
	for link := range p.links {
		_ = link.Close()
	}
	clear(p.links)
}

func (p *Proxy) accept(group *sync.WaitGroup) error {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = client.Close() // as the server's own port would refuse
			continue
		}
		if !p.add(client, server) {
			return nil
		}
		group.Go(func() { p.pass(server, client, func() bool { return true }) })
		group.Go(func() { p.pass(client, server, p.hears) })
	}
}

// add takes a connection's ends, or closes them when the proxy has ended meanwhile.
func (p *Proxy) add(client, server net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.links[client], p.links[server] = struct{}{}, struct{}{}
	if p.ended {
		p.closeLinks()
	}
	return !p.ended
}

// pass copies until one end closes, then closes the other.
func (p *Proxy) pass(to io.WriteCloser, from io.Reader, hears func() bool) {
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err == nil && hears() {
			_, err = to.Write(buffer[:n])
		}
		if err != nil {
			return
		}
	}
}

func (p *Proxy) hears() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.deaf
}
