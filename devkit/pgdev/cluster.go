package pgdev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

// runner runs the programs of one installation in one place as one account.
type runner struct {
	bin     string
	place   *place
	account *account // nil: the caller
	log     io.Writer
}

// command prepares a program with the account's rights, in a working directory that the account can enter, in a
// process group of its own: Ctrl-C at the terminal goes to the owner, who then stops the server in order.
func (r runner) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(r.bin, program), args...)
	cmd.Dir = r.place.dir
	cmd.Env = environment()
	cmd.SysProcAttr = attributes(r.account)
	cmd.WaitDelay = outputGrace
	// The group, not the program alone: initdb's own children must not write into a directory that is being removed.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	return cmd
}

// initCluster makes the cluster unless there is one. It is made aside and renamed, so a crash here leaves no half of
// one under its name; the next start throws away what lies aside.
func (r runner) initCluster(ctx context.Context, durable bool) error {
	data := r.place.data()
	if _, err := os.Stat(data); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	aside := data + ".new"
	if err := os.RemoveAll(aside); err != nil {
		return err
	}
	if err := os.Mkdir(aside, 0o700); err != nil {
		return err
	}
	if err := r.account.own(aside); err != nil {
		return err
	}
	args := []string{"-D", aside, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"}
	if !durable {
		args = append(args, "--no-sync")
	}
	said := &tail{next: r.log}
	cmd := r.command(ctx, "initdb", args...)
	cmd.Stdout, cmd.Stderr = said, said
	// See launch: the thread must outlive the program.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err() // the exit status is of our own signal
		}
		return fmt.Errorf("%w%s", err, said.quoted())
	}
	return os.Rename(aside, data)
}

// freePort is a port of 127.0.0.1 that nobody listens on now.
func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}
