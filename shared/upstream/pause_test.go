package upstream_test

import (
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/upstream"
)

func TestWhatAProviderAsksForIsUnderstood(t *testing.T) {
	for text, want := range map[string]time.Duration{
		`{"Error":"The key exceeds the frequency limit(15), and the query server is suspended for 30s"}`:   30 * time.Second,
		`{"Error":"request rate exceeded the allowed_rps(10), and the query server is suspended for 5 s"}`: 5 * time.Second,
		"Suspended For 7 Seconds": 7 * time.Second, "try again in 1.5s": 1500 * time.Millisecond, "retry after 250 ms": 250 * time.Millisecond,
		"please retry in 200milliseconds": 200 * time.Millisecond, "try again in 2 minutes": 2 * time.Minute, "retry in 3m": 3 * time.Minute,
		"suspended for 999999999 minutes": upstream.LongestPause, "suspended for 999999999s": upstream.LongestPause,
		// No time is said.
		"": 0, "too many requests": 0, "suspended for good": 0, "suspended for 5 days": 0, "suspended for -5s": 0, "30s": 0, "suspended for 5": 0, "suspended for 5 sheep": 0,
	} {
		if got := upstream.PauseOf(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-7": 0, "soon": 0, "1e3": 0, "99999999999999999999": 0, "2147483647": upstream.LongestPause,
		"Fri, 01 May 2026 12:00:30 GMT": 30 * time.Second, "Fri, 01 May 2026 11:00:00 GMT": 0, "Fri, 01 May 2099 12:00:00 GMT": upstream.LongestPause,
	} {
		if got := upstream.RetryAfter(header, now); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

func FuzzPauseOf(f *testing.F) {
	f.Add("suspended for 30s")
	f.Add("try again in 1.5 minutes")
	f.Fuzz(func(t *testing.T, text string) {
		if got := upstream.PauseOf(text); got < 0 || got > upstream.LongestPause {
			t.Errorf("%q: %v", text, got)
		}
	})
}
