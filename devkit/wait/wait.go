// Package wait is how tests wait for something that another goroutine or process does.
package wait

import (
	"testing"
	"time"
)

// pollEvery is short against what tests wait for and long against what a poll costs.
const pollEvery = 10 * time.Millisecond

// For returns once ok is true, asked at once and then every 10 ms on the test's goroutine, and fails the test if that
// takes longer than within. what says what was awaited: "row 7 is released". ok may itself fail the test.
func For(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	late := time.NewTimer(within)
	defer late.Stop()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for !ok() {
		select {
		case <-poll.C:
		case <-late.C:
			// A busy machine may have kept the last poll waiting: what is true at the deadline is in time.
			if ok() {
				return
			}
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}
