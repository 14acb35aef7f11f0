package pgdev

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/balance-sync/balance-sync/devkit/wait"
)

func start(t *testing.T, opt Options) *Server {
	t.Helper()
	s, err := Start(within(t), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	return s
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
}

// openDir is a directory that the server's user can enter; a test's own is for the test's user only.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgdev-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func answers(t *testing.T, url string) bool {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	return err == nil && conn.Close(context.Background()) == nil
}

func TestStopEndsTheServerAndRemovesItsDirectory(t *testing.T) {
	s := start(t, Options{})
	busy := connect(t, s.URL())
	if _, err := busy.Exec(within(t), "begin"); err != nil {
		t.Fatal(err)
	}
	stop(t, s)
	if err := busy.Ping(within(t)); err == nil {
		t.Error("a connection in a transaction outlived the server")
	}
	if answers(t, s.URL()) {
		t.Error("the server answers after Stop")
	}
	if exists(s.place.dir) {
		t.Errorf("%s is left", s.place.dir)
	}
	stop(t, s) // a second time changes nothing
}

func TestGivenDirectoryIsKeptAndReused(t *testing.T) {
	opt := Options{Dir: filepath.Join(openDir(t), "made"), Durable: true}
	// What a crash inside initdb leaves: some files aside, nothing under the cluster's name.
	if err := os.MkdirAll(filepath.Join(opt.Dir, "data.new", "base"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := start(t, opt)
	if err := fruit(within(t), s.URL()); err != nil {
		t.Fatal(err)
	}
	stop(t, s)
	conn := connect(t, start(t, opt).URL())
	if got := scan[string](t, conn, "select name from fruit"); got != "fig" {
		t.Errorf("fruit %q after a restart, want fig", got)
	}
	if got := scan[string](t, conn, "show fsync"); got != "on" {
		t.Errorf("fsync %q in a durable server, want on", got)
	}
}

func TestTwoServersCannotShareADirectory(t *testing.T) {
	opt := Options{Dir: openDir(t)}
	first := start(t, opt)
	if _, err := Start(within(t), opt); err == nil || !strings.Contains(err.Error(), "lock file") {
		t.Errorf("error %v, want one that names the lock file", err)
	}
	if !answers(t, first.URL()) {
		t.Error("the first server suffered from the second's start")
	}
}

func TestFailedStartCarriesTheServersLastLines(t *testing.T) {
	var log strings.Builder
	_, err := Start(within(t), Options{Settings: map[string]string{"work_mem": "plenty"}, Log: &log})
	const want = `invalid value for parameter "work_mem": "plenty"`
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %s", err, want)
	}
	if !strings.Contains(log.String(), want) {
		t.Errorf("log %q, want one with %s", log.String(), want)
	}
}

func TestCancelledStartLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", openDir(t))
	ctx, cancel := context.WithCancel(t.Context())
	initdb := func() bool {
		found, err := filepath.Glob(filepath.Join(os.TempDir(), tempPrefix+"*", "data.new", "PG_VERSION"))
		return err == nil && len(found) == 1
	}
	result := make(chan error, 1)
	go func() {
		_, err := Start(ctx, Options{})
		result <- err
	}()
	wait.For(t, time.Minute, "initdb is at work", initdb)
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestTakenPortIsToldFromOtherFailures(t *testing.T) {
	first, second := start(t, Options{}), start(t, Options{})
	stop(t, &Server{proc: second.proc, place: &place{}}) // its directory stays
	silent, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	bin, err := programs(within(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	user, err := serverAccount()
	if err != nil {
		t.Fatal(err)
	}
	run := runner{bin: bin, place: second.place, account: user, log: t.Output()}
	for name, port := range map[string]int{
		"by another postgres":           int(connect(t, first.URL()).Config().Port),
		"by something that never talks": silent.Addr().(*net.TCPAddr).Port,
	} {
		if _, err := run.serve(within(t), port, arguments(Options{}, port)); !errors.Is(err, errPortTaken) {
			t.Errorf("%s: error %v, want %v", name, err, errPortTaken)
		}
	}
	if err := second.place.leave(); err != nil {
		t.Error(err)
	}
}

func TestDeathOfTheServerIsTheErrorOfStop(t *testing.T) {
	s := start(t, Options{})
	if err := s.proc.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	<-s.proc.done
	err := s.Stop()
	if err == nil || !strings.Contains(err.Error(), "had ended") {
		t.Errorf("error %v, want one that says that postgres had ended", err)
	}
	if exists(s.place.dir) {
		t.Errorf("%s is left", s.place.dir)
	}
}

func TestStopEndsAServerThatHangs(t *testing.T) {
	t.Parallel() // it waits 5 s for postgres to lose its patience with its own
	s := start(t, Options{})
	s.proc.fast = 100 * time.Millisecond
	conn := connect(t, s.URL())
	if err := syscall.Kill(scan[int](t, conn, "select pg_backend_pid()"), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	_ = s.Stop() // whether an immediate shutdown counts as clean is up to postgres
	if answers(t, s.URL()) {
		t.Error("the server answers after Stop")
	}
	if exists(s.place.dir) {
		t.Errorf("%s is left", s.place.dir)
	}
}
