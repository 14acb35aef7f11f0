package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/balance-sync/balance-sync/devkit/pgdev"
)

// role is the environment variable by which this test binary runs testenv itself instead of its tests.
const role = "TESTENV_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "testenv":
		os.Exit(run(os.Args[1:], os.Stderr))
	case "killer":
		os.Exit(kill(os.Getenv(pgdev.TestURL)))
	default:
		os.Exit(m.Run())
	}
}

// kill ends the server behind testenv's back and returns 0 when its process is gone.
func kill(url string) int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 3
	}
	var pid int
	const query = "select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int"
	if err := conn.QueryRow(ctx, query).Scan(&pid); err != nil {
		return 4
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for syscall.Kill(pid, syscall.SIGQUIT) == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 5
		}
	}
	return 0
}

// testenv is this test binary as the command, without a server of an outer run.
func testenv(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, pgdev.TestURL+"=") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, role+"=testenv")
	return cmd
}

func answers(t *testing.T, url string) bool {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	return err == nil && conn.Close(context.Background()) == nil
}

func TestCommandGetsAServerThatIsGoneAfterwards(t *testing.T) {
	cmd := testenv(t, "--", "sh", "-c", `echo "$BALSYNC_TEST_POSTGRES"; read -r go; exit 7`)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	url, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url = strings.TrimSpace(url)
	if !answers(t, url) {
		t.Errorf("no server at %q while the command runs", url)
	}
	if _, err := io.WriteString(stdin, "go\n"); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("exit code %d (%v), want the command's 7", cmd.ProcessState.ExitCode(), err)
	}
	if answers(t, url) {
		t.Errorf("the server at %q outlived testenv", url)
	}
}

func TestSignalsReachTheCommand(t *testing.T) {
	for name, want := range map[string]struct {
		signal syscall.Signal
		script string
		code   int
	}{
		"handled interrupt":   {syscall.SIGINT, `trap 'exit 5' INT; echo up; while read -r go; do :; done`, 5},
		"handled termination": {syscall.SIGTERM, `trap 'exit 6' TERM; echo up; while read -r go; do :; done`, 6},
		"fatal termination":   {syscall.SIGTERM, `echo up; read -r go`, 128 + 15},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := testenv(t, "sh", "-c", want.script)
			cmd.Env = append(cmd.Env, pgdev.TestURL+"=postgres://of-an-outer-run")
			if _, err := cmd.StdinPipe(); err != nil { // open and silent: read waits
				t.Fatal(err)
			}
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Process.Signal(want.signal); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); cmd.ProcessState.ExitCode() != want.code {
				t.Errorf("exit code %d (%v), want %d", cmd.ProcessState.ExitCode(), err, want.code)
			}
		})
	}
}

func TestServerOfAnOuterRunIsUsed(t *testing.T) {
	cmd := testenv(t, "sh", "-c", `echo "$BALSYNC_TEST_POSTGRES"`)
	cmd.Env = append(cmd.Env, pgdev.TestURL+"=postgres://of-an-outer-run")
	out, err := cmd.Output()
	if err != nil || strings.TrimSpace(string(out)) != "postgres://of-an-outer-run" {
		t.Errorf("the command saw %q (%v), want the outer server", out, err)
	}
}

func TestWrongUseIsOneSentence(t *testing.T) {
	t.Setenv(pgdev.TestURL, "postgres://of-an-outer-run")
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"nothing to run":  {nil, 2, "usage: testenv -- command"},
		"only dashes":     {[]string{"--"}, 2, "usage: testenv -- command"},
		"unknown command": {[]string{"--", "/nonexistent/go"}, 126, "/nonexistent/go"},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			if code := run(c.args, &stderr); code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			if got := stderr.String(); !strings.Contains(got, c.says) || strings.Count(got, "\n") != 1 {
				t.Errorf("said %q, want one line with %q", got, c.says)
			}
		})
	}
}

func TestServerThatDiedFailsAPassedRun(t *testing.T) {
	cmd := testenv(t, "--", "env", role+"=killer", os.Args[0])
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("exit code %d (%v), want 1", cmd.ProcessState.ExitCode(), err)
	}
	if !strings.Contains(stderr.String(), "postgres had ended") {
		t.Errorf("said %q, want that postgres had ended", stderr.String())
	}
}
