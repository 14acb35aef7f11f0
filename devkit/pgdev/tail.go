package pgdev

import (
	"io"
	"strings"
	"sync"
)

const (
	tailBytes = 16 << 10
	tailLines = 12
)

// tail keeps the end of a program's output for the error that may need it, and passes all of it on.
type tail struct {
	next io.Writer

	mu  sync.Mutex
	end []byte // guarded by mu; at most 2*tailBytes
}

// Write never fails: a program must not get a broken pipe because a reader of its log went away.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, p...)
	if extra := len(t.end) - tailBytes; extra > tailBytes {
		t.end = append(t.end[:0], t.end[extra:]...)
	}
	_, _ = t.next.Write(p)
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.end)
}

// quoted is the last lines, ready to follow an error's text; empty if the program said nothing.
func (t *tail) quoted() string {
	text := strings.TrimSpace(t.String())
	if text == "" {
		return ""
	}
	lines := strings.Split(text, "\n")
	lines = lines[max(0, len(lines)-tailLines):]
	return "; its last lines:\n\t" + strings.Join(lines, "\n\t")
}
