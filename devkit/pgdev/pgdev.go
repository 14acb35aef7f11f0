// Package pgdev runs a private Postgres for tests, benches and the dev stack: a real server of this machine's own
// programs, on a free port of 127.0.0.1, in a directory of its own, gone when its owner is.
//
// Nothing of it is for production: every local user may connect as the superuser, and unless Options.Durable is set a
// power cut may lose the data.
package pgdev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
)

// Options says which Postgres to run and where. The zero value is a throw-away server for tests.
type Options struct {
	Dir      string            // kept after Stop and reused by the next Start; empty: a temporary one, removed by Stop
	Durable  bool              // commits reach the disk; false: fsync, synchronous_commit and full_page_writes are off
	Install  bool              // if no programs are found, run the command that installs them
	Fetch    bool              // if no programs are found and the user is not root, download them into the user's cache
	BinDirs  []string          // where initdb and postgres are looked for; nil: PATH, then the well-known places
	Log      io.Writer         // the output of the server and of an installer; nil: discarded. Used from other goroutines
	Settings map[string]string // server settings by name; they win over those of this package
}

// Server is one running Postgres. Its methods may be called concurrently.
type Server struct {
	url    string
	proc   *process
	place  *place
	once   sync.Once
	result error // of the first Stop; written inside once
}

// portTries bounds the race for a port: between choosing a free one and Postgres taking it, another process may.
const portTries = 5

// Start finds the programs, makes a cluster unless opt.Dir holds one, and returns once the server accepts connections.
// ctx bounds the start only; the server lives until Stop, or (on Linux) until this process ends in whatever way. An
// error names what to do if no programs are found, and carries the last lines of the server's log if it did not start.
func Start(ctx context.Context, opt Options) (*Server, error) {
	if opt.Log == nil {
		opt.Log = io.Discard
	}
	bin, err := programs(ctx, opt)
	if err != nil {
		return nil, err
	}
	user, err := serverAccount()
	if err != nil {
		return nil, err
	}
	where, err := takePlace(opt.Dir, user)
	if err != nil {
		return nil, err
	}
	run := runner{bin: bin, place: where, account: user, log: opt.Log}
	s, err := startIn(ctx, run, opt)
	if err != nil {
		return nil, errors.Join(err, where.leave())
	}
	return s, nil
}

// startIn runs a server in a place that exists; the caller leaves the place if it fails.
func startIn(ctx context.Context, run runner, opt Options) (*Server, error) {
	if err := run.initCluster(ctx, opt.Durable); err != nil {
		return nil, fmt.Errorf("init postgres cluster: %w", err)
	}
	var err error
	for range portTries {
		var port int
		if port, err = freePort(); err != nil {
			return nil, fmt.Errorf("choose postgres port: %w", err)
		}
		var proc *process
		if proc, err = run.serve(ctx, port, arguments(opt, port)); err == nil {
			return &Server{url: serverURL(port), proc: proc, place: run.place}, nil
		}
		if !errors.Is(err, errPortTaken) {
			break
		}
	}
	return nil, fmt.Errorf("start postgres: %w", err)
}

// URL is the address of the maintenance database, as the superuser, without a password:
// postgres://postgres@127.0.0.1:PORT/postgres?sslmode=disable.
func (s *Server) URL() string { return s.url }

// Stop ends the server and returns when it is gone: open connections are cut and running transactions rolled back. A
// temporary directory is removed. Calls after the first return the same result. An error means that the server had
// died before, did not end cleanly, or left files.
func (s *Server) Stop() error {
	s.once.Do(func() {
		s.result = errors.Join(s.proc.stop(), s.place.leave())
	})
	return s.result
}

func serverURL(port int) string {
	return "postgres://postgres@127.0.0.1:" + strconv.Itoa(port) + "/postgres?sslmode=disable"
}

// environment is what the server's programs inherit: messages in English, because one of them is matched by text, and
// none of the PG* variables, which would point initdb and postgres at another cluster.
func environment() []string {
	env := []string{"LC_ALL=C"}
	for _, name := range []string{"PATH", "HOME", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}
