package anvildev

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"
)

// startWithin is from exec to the line that names the port.
const startWithin = 30 * time.Second

// mostSaid bounds what is kept of the program's output, in bytes.
const mostSaid = 64 << 10

var listening = regexp.MustCompile(`Listening on (127\.0\.0\.1:[0-9]+)\n`)

// process is an anvil that was started.
type process struct {
	cmd     *exec.Cmd
	address chan string   // gets one: where it listens
	done    chan struct{} // closed when it is reaped

	mu    sync.Mutex   // guards below
	said  bytes.Buffer // its output until it listens, and what errors may need
	named bool         // address was sent
}

// Write takes the program's output. It never fails: the program must not get a broken pipe.
func (p *process) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.said.Len() < mostSaid {
		p.said.Write(text)
	}
	if match := listening.FindSubmatch(p.said.Bytes()); match != nil && !p.named {
		p.named = true
		p.address <- string(match[1])
	}
	return len(text), nil
}

// launch starts the program and waits until it listens on a free port of its own choice. The goroutine keeps its thread until the
// program has ended: on Linux the signal at the parent's death comes when the thread that forked ends.
func launch(ctx context.Context, path string, args ...string) (*process, string, error) {
	p := &process{cmd: exec.Command(path, append([]string{"--host", "127.0.0.1", "--port", "0"}, args...)...), address: make(chan string, 1), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.SysProcAttr = p, p, attributes()
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // it is killed, or says why it ended
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, "", err
	}
	late := time.NewTimer(startWithin)
	defer late.Stop()
	var err error
	select {
	case address := <-p.address:
		return p, address, nil
	case <-p.done:
		err = errors.New("it ended")
	case <-ctx.Done():
		err = ctx.Err()
	case <-late.C:
		err = fmt.Errorf("it does not listen after %v", startWithin)
	}
	p.stop()
	return nil, "", fmt.Errorf("%w: %s", err, p.words())
}

// stop kills the process, by its id, and waits for its end; its state is in memory and worth nothing.
func (p *process) stop() {
	_ = p.cmd.Process.Kill() // the only error is that it has ended
	<-p.done
}

func (p *process) words() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.TrimSpace(p.said.String())
}
