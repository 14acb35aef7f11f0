package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/balance-sync/balance-sync/devkit/pgdev"
)

// run is the program: its arguments without its name, and where it says what is wrong.
func run(args []string, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(stderr, "usage: testenv -- command [argument ...]")
		return 2
	}
	// Caught from here on, so that a signal during the start still leads to the stop.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	if os.Getenv(pgdev.TestURL) != "" {
		return child(args, os.Environ(), signals, stderr)
	}
	server, err := pgdev.Start(context.Background(), pgdev.Options{Fetch: true})
	if err != nil {
		fmt.Fprintln(stderr, "testenv:", err)
		return 1
	}
	code := child(args, append(os.Environ(), pgdev.TestURL+"="+server.URL()), signals, stderr)
	if err := server.Stop(); err != nil {
		fmt.Fprintln(stderr, "testenv:", err)
		return max(code, 1)
	}
	return code
}

// child runs the command on this process's stdin, stdout and stderr, passes it the signals, and returns its exit code.
// At a terminal it gets Ctrl-C twice, from the terminal and from here; go test takes the second for the first.
func child(args, env []string, signals <-chan os.Signal, stderr io.Writer) int {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(stderr, "testenv:", err)
		return 126
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			if err := cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
				fmt.Fprintln(stderr, "testenv:", err)
			}
		case err := <-ended:
			return exitCode(err, stderr)
		}
	}
}

func exitCode(err error, stderr io.Writer) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &exit):
		fmt.Fprintln(stderr, "testenv:", err)
		return 126
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}
