// Package natsdev runs a NATS server with JetStream inside this process, for tests, benches and the dev stack. It is
// the server that production runs, on 127.0.0.1, with its store in a directory that outlives a restart.
package natsdev

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// Options are the settings that tests and the dev stack differ in. The zero value is a server as NATS ships it.
type Options struct {
	ConfigFile string    // a server's configuration to start from; its listeners but the clients' are closed
	Port       int       // for clients, on 127.0.0.1; 0: a free one
	SyncAlways bool      // every write reaches the disk before its ack; false: what ConfigFile says, else every 2 min
	MaxStore   int64     // bytes that all streams together may reserve; 0: what ConfigFile says, else 3/4 of the disk
	Log        io.Writer // the server's warnings and errors, a line each; nil: discarded. Written by many goroutines
}

// Server is one NATS server that can be stopped and started again at the same address. Its methods may be called
// concurrently.
type Server struct {
	dir string
	opt Options // Port is the real one after the first start

	mu      sync.Mutex
	running *server.Server // guarded by mu; nil while stopped
}

// Start runs a server with its store below dir and returns once it accepts clients. An error (a taken port, a store
// that cannot be used) comes at once: nothing is waited for.
func Start(dir string, opt Options) (*Server, error) {
	s := &Server{dir: dir, opt: opt}
	if err := s.start(); err != nil {
		return nil, fmt.Errorf("start nats: %w", err)
	}
	return s, nil
}

// URL is where clients connect: nats://127.0.0.1:PORT. It stays the same over restarts.
func (s *Server) URL() string { return fmt.Sprintf("nats://127.0.0.1:%d", s.opt.Port) }

// As is the URL with a user and password, which must be fit for one as they are.
func (s *Server) As(user, password string) string {
	return fmt.Sprintf("nats://%s:%s@127.0.0.1:%d", user, password, s.opt.Port)
}

// Stop cuts all clients, writes what the store holds back and returns when the server is gone. A stopped server may be
// stopped again.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
}

// Restart stops the server, if it runs, and starts it on the same port and store: what a client sees of a broker's
// restart. After an error the server is stopped.
func (s *Server) Restart() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
	if err := s.start(); err != nil {
		return fmt.Errorf("restart nats: %w", err)
	}
	return nil
}

// stop needs mu.
func (s *Server) stop() {
	if s.running == nil {
		return
	}
	end(s.running)
	s.running = nil
}

// start needs mu, or a Server that nobody else has.
func (s *Server) start() error {
	opts, err := s.options()
	if err != nil {
		return err
	}
	ns, err := server.NewServer(opts)
	if err != nil {
		return err
	}
	log := &logger{next: s.opt.Log}
	ns.SetLoggerV2(log, false, false, false)
	// Start returns when the listener is open, or early after a fatal log line, which is its only word of the cause.
	ns.Start()
	addr, ok := ns.Addr().(*net.TCPAddr)
	if !ok || log.fatal() != nil {
		end(ns)
		return errors.Join(errors.New("server does not listen"), log.fatal())
	}
	if s.opt.Port == 0 {
		s.opt.Port = addr.Port // before anybody has the Server: URL reads it without the lock
	}
	s.running = ns
	return nil
}

func end(ns *server.Server) {
	ns.Shutdown()
	ns.WaitForShutdown()
}

// testStore is what the streams of a test may reserve: reservations are numbers, and a small disk must not refuse them.
const testStore = 1 << 40

// Run starts a server of its own for this test and stops it at cleanup.
func Run(t testing.TB) *Server { return RunWith(t, "") }

// RunWith is Run with the text of a server's configuration, such as its users.
func RunWith(t testing.TB, config string) *Server {
	t.Helper()
	opt := Options{MaxStore: testStore}
	if config != "" {
		opt.ConfigFile = filepath.Join(t.TempDir(), "nats.conf")
		if err := os.WriteFile(opt.ConfigFile, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Start(t.TempDir(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}
