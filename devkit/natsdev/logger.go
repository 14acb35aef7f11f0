package natsdev

import (
	"fmt"
	"io"
	"sync"
)

// logger receives what the server says. A fatal line does not end the process: it becomes the error of Start.
type logger struct {
	mu    sync.Mutex
	next  io.Writer // guarded by mu: writers need not be safe for concurrent use; nil discards
	cause error     // guarded by mu; the first fatal line
}

func (l *logger) Noticef(string, ...any) {}
func (l *logger) Debugf(string, ...any)  {}
func (l *logger) Tracef(string, ...any)  {}

func (l *logger) Warnf(format string, args ...any)  { l.line("warn", format, args) }
func (l *logger) Errorf(format string, args ...any) { l.line("error", format, args) }

func (l *logger) Fatalf(format string, args ...any) {
	l.line("fatal", format, args)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cause == nil {
		l.cause = fmt.Errorf(format, args...)
	}
}

// line drops the error of its writer: the server has nobody to tell.
func (l *logger) line(level, format string, args []any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next != nil {
		_, _ = fmt.Fprintf(l.next, "nats %s: %s\n", level, fmt.Sprintf(format, args...))
	}
}

func (l *logger) fatal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause
}
