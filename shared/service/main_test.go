package service

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func newContext(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(t.Context())
}

// behaviour says what the test's own service does when it runs as a process of its own.
const behaviour = "SERVICE_TEST_BEHAVIOUR"

// TestMain is the service itself when a test started it.
func TestMain(m *testing.M) {
	if how := os.Getenv(behaviour); how != "" {
		os.Exit(acting(how).Main())
	}
	os.Exit(m.Run())
}

// acting is a service that behaves as it is told.
func acting(how string) Service[string] {
	return Service[string]{
		Name: "acting",
		Load: func(e *Env) string {
			e.Int("BALSYNC_NUMBER", 1, 0, 9)
			return e.Secret("BALSYNC_KEY").Reveal()
		},
		Run: func(ctx context.Context, key string, p Process) error {
			fmt.Println("running")
			switch how {
			case "fails":
				return errors.New("cannot go on with " + key)
			case "never stops":
				<-make(chan struct{})
			}
			<-ctx.Done()
			return ctx.Err()
		},
	}
}

// child is the service as a process.
type child struct {
	*exec.Cmd
	out *bufio.Scanner
	log *bytes.Buffer
}

func start(t *testing.T, how string, args []string, env ...string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append([]string{behaviour + "=" + how, "BALSYNC_ADMIN_ADDR=127.0.0.1:0"}, env...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{Cmd: cmd, out: bufio.NewScanner(stdout), log: &bytes.Buffer{}}
	cmd.Stderr = c.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it has ended if the test passed
	return c
}

// line is the next line of the process's output.
func (c *child) line() string { c.out.Scan(); return c.out.Text() }

// code waits for the end of the process and gives its exit code, -1 when a signal ended it.
func (c *child) code() int {
	_ = c.Wait() // the code says it all
	return c.ProcessState.ExitCode()
}

func TestASignalStopsAServiceInTwoPhases(t *testing.T) {
	c := start(t, "stops", nil)
	if got := c.line(); got != "running" {
		t.Fatalf("%q", got)
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := c.code(); code != ExitDone {
		t.Errorf("exit %d: %s", code, c.log)
	}
	stopping, stopped := strings.Index(c.log.String(), `"stopping"`), strings.Index(c.log.String(), `"stopped"`)
	if stopping < 0 || stopped < stopping {
		t.Errorf("%s", c.log)
	}
}

func TestASecondSignalKills(t *testing.T) {
	c := start(t, "never stops", nil)
	c.line()
	deadline := time.After(10 * time.Second)
	ended := make(chan int, 1)
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	go func() { ended <- c.code() }()
	ticker := time.NewTicker(50 * time.Millisecond) // the first may not have been seen yet when the second comes
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			_ = c.Process.Signal(syscall.SIGTERM) // it may be gone
		case code := <-ended:
			if code != -1 {
				t.Errorf("exit %d", code)
			}
			return
		case <-deadline:
			t.Fatal("it does not end")
		}
	}
}

func TestAServiceThatDoesNotStopIsEnded(t *testing.T) {
	var log bytes.Buffer
	p := newProcess(&log)
	admin, err := ListenAdmin("127.0.0.1:0", p.Health, prometheus.NewRegistry(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	end := make(chan struct{})
	defer close(end)
	stubborn := Service[string]{Name: "stubborn", Run: func(context.Context, string, Process) error {
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			return err
		}
		<-end
		return nil
	}}
	if code := stubborn.supervise("", p, admin, 100*time.Millisecond); code != ExitFailed || !strings.Contains(log.String(), "work in hand") {
		t.Errorf("exit %d: %s", code, log.String())
	}
	if ready, _ := p.Health.Ready(); ready {
		t.Error("ready while it is ended")
	}
}

func TestAServiceThatEndsByItselfHasFailed(t *testing.T) {
	c := start(t, "fails", nil, "BALSYNC_KEY=CANARY0123456789")
	if code := c.code(); code != ExitFailed || !strings.Contains(c.log.String(), "cannot go on with ***") || strings.Contains(c.log.String(), "CANARY") {
		t.Errorf("exit %d: %s", code, c.log)
	}
}

func TestWhatTheConfigurationShouldNotBeIsLoggedAtTheStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte("CANARY0123456789"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := start(t, "fails", nil, "BALSYNC_KEY_FILE="+path)
	c.code()
	if log := c.log.String(); !strings.Contains(log, `"level":"warn"`) || !strings.Contains(log, "BALSYNC_KEY_FILE: every user") || strings.Contains(log, "CANARY") {
		t.Errorf("log: %s", log)
	}
}

func TestArgumentsAndFaultsHaveTheirExitCodes(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := []struct {
		name string
		args []string
		env  []string
		code int
		says string
	}{
		{"version", []string{"version"}, nil, ExitDone, "acting "},
		{"an unknown argument", []string{"frobnicate"}, nil, ExitUsage, "usage: acting"},
		{"faults", nil, []string{"BALSYNC_NUMBER=x", "LOG_LEVEL=loud", "LOG_FORMAT=xml"}, ExitUsage, "BALSYNC_NUMBER"},
		{"all faults", nil, []string{"BALSYNC_NUMBER=x", "LOG_LEVEL=loud", "LOG_FORMAT=xml"}, ExitUsage, `LOG_LEVEL="loud": must be one of info`},
		{"a taken admin port", nil, []string{"BALSYNC_ADMIN_ADDR=" + taken.Addr().String()}, ExitFailed, "BALSYNC_ADMIN_ADDR"},
		{"healthcheck without a service", []string{"healthcheck"}, []string{"BALSYNC_ADMIN_ADDR=127.0.0.1:1"}, ExitUnhealthy, "unhealthy"},
		{"healthcheck of nowhere", []string{"healthcheck"}, []string{"BALSYNC_ADMIN_ADDR=nowhere"}, ExitUsage, "BALSYNC_ADMIN_ADDR"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], tt.args...)
			cmd.Env = append([]string{behaviour + "=stops"}, tt.env...)
			out, _ := cmd.CombinedOutput() // the code is looked at below
			if code := cmd.ProcessState.ExitCode(); code != tt.code || !strings.Contains(string(out), tt.says) {
				t.Errorf("exit %d, want %d: %s", code, tt.code, out)
			}
		})
	}
}

func TestHealthcheckAsksTheRunningService(t *testing.T) {
	p := newProcess(&bytes.Buffer{})
	admin, err := ListenAdmin("127.0.0.1:0", p.Health, prometheus.NewRegistry(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- admin.Serve(t.Context()) }()
	_, port, err := net.SplitHostPort(admin.Addr())
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		report error
		code   int
		says   string
	}{{nil, ExitDone, `"ready":true`}, {errors.New("down"), ExitUnhealthy, "down"}} {
		p.Report("postgres", step.report)
		var out, log bytes.Buffer
		env := from(map[string]string{"BALSYNC_ADMIN_ADDR": ":" + port}) // as in an image
		if code := healthcheck(env, &out, &log); code != step.code || !strings.Contains(out.String(), step.says) {
			t.Errorf("%d, want %d: %s%s", code, step.code, out.String(), log.String())
		}
	}
}
