package wait_test

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balance-sync/balance-sync/devkit/wait"
)

// recorder is a test that notes its failure; Fatalf ends the goroutine, as the real one does.
type recorder struct {
	testing.TB
	failure string
}

func (r *recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// run waits on a goroutine of its own and returns the failure, if any, and how long it took.
func run(within time.Duration, ok func() bool) (failure string, took time.Duration) {
	r := &recorder{}
	began := time.Now()
	done := make(chan struct{})
	go func() {
		defer close(done)
		wait.For(r, within, "the row is free", ok)
	}()
	<-done
	return r.failure, time.Since(began)
}

func TestReturnsAtOnceWhenAlreadyTrue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failure, took := run(time.Second, func() bool { return true })
		if failure != "" || took != 0 {
			t.Errorf("failure %q after %v, want none after 0s", failure, took)
		}
	})
}

func TestPollsUntilTrue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		failure, took := run(time.Second, func() bool { asked++; return asked == 4 })
		if failure != "" || took != 30*time.Millisecond {
			t.Errorf("failure %q after %v, want none after 30ms", failure, took)
		}
	})
}

func TestFailsAtTheDeadlineAndNamesWhatWasAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failure, took := run(time.Second, func() bool { return false })
		if want := "not within 1s: the row is free"; failure != want || took != time.Second {
			t.Errorf("failure %q after %v, want %q after 1s", failure, took, want)
		}
	})
}

func TestTrueAtTheDeadlineIsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		failure, _ := run(15*time.Millisecond, func() bool { return time.Since(began) >= 15*time.Millisecond })
		if failure != "" {
			t.Errorf("failure %q, want none", failure)
		}
	})
}
