package pgdev

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	startWithin  = time.Minute           // from exec to the first connection; recovery of a large kept cluster included
	pollEvery    = 20 * time.Millisecond // between two attempts to connect
	answerWithin = 2 * time.Second       // one attempt: whoever else has the port may accept and say nothing
	fastWithin   = 10 * time.Second
	outputGrace  = 5 * time.Second // what a left-over child may hold the log open after the server's end
)

var errPortTaken = errors.New("port is taken")

// process is a started server.
type process struct {
	cmd  *exec.Cmd
	said *tail
	fast time.Duration // what a fast shutdown may take before the immediate one
	done chan struct{} // closed when the process is reaped
	end  error         // how it ended; written before done closes
}

// serve starts postgres and waits until it is this cluster that answers on the port. errPortTaken: try another port.
func (r runner) serve(ctx context.Context, port int, args []string) (*process, error) {
	p, err := r.launch("postgres", append([]string{"-D", r.place.data()}, args...)...)
	if err != nil {
		return nil, err
	}
	if err := p.ready(ctx, serverURL(port), r.place.data()); err != nil {
		// What stop says of a server that did not come up, ready has said.
		_ = p.stop()
		if strings.Contains(p.said.String(), "could not create any TCP/IP sockets") {
			err = fmt.Errorf("%w: %w", errPortTaken, err)
		}
		return nil, err
	}
	return p, nil
}

// launch starts a server from a goroutine that keeps its thread until the server has ended: on Linux the signal at the
// parent's death comes when the thread that forked ends, and that may be long before the process does. The server
// inherits the lock of its directory, so nobody sweeps that away while it still shuts down after its owner's death.
func (r runner) launch(program string, args ...string) (*process, error) {
	p := &process{said: &tail{next: r.log}, fast: fastWithin, done: make(chan struct{})}
	p.cmd = r.command(context.Background(), program, args...)
	p.cmd.Stdout, p.cmd.Stderr = p.said, p.said
	if r.place.lock != nil {
		p.cmd.ExtraFiles = []*os.File{r.place.lock}
	}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.end = p.cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// ready polls until the server answers with the data directory that it was given: another server may have taken the
// port first, and it must not pass for ours.
func (p *process) ready(ctx context.Context, url, data string) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.done:
			return fmt.Errorf("postgres ended: %w%s", endOf(p.end), p.said.quoted())
		case <-ctx.Done():
			return fmt.Errorf("wait for postgres: %w%s", ctx.Err(), p.said.quoted())
		case <-tick.C:
		}
		if where, err := dataDirectory(ctx, url); err == nil && where == data {
			return nil
		}
	}
}

func dataDirectory(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	var dir string
	err = conn.QueryRow(ctx, "show data_directory").Scan(&dir)
	return dir, errors.Join(err, conn.Close(ctx))
}

// stop asks for a fast shutdown, which cuts connections and writes a checkpoint, then for an immediate one, in which
// postgres kills whatever of its own does not end within 5 s.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		if !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop postgres: %w", err)
		}
		<-p.done
		return fmt.Errorf("postgres had ended: %w%s", endOf(p.end), p.said.quoted())
	}
	patience := time.NewTimer(p.fast)
	defer patience.Stop()
	select {
	case <-p.done:
	case <-patience.C:
		if err := p.cmd.Process.Signal(syscall.SIGQUIT); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop postgres: %w", err)
		}
		<-p.done
	}
	if p.end != nil {
		return fmt.Errorf("stop postgres: %w%s", p.end, p.said.quoted())
	}
	return nil
}

// endOf makes an error of an exit without one.
func endOf(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}
