package upstream

import (
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// asked finds how a provider says in words how long it wants to be left alone: "the query server is suspended for 30s",
// "try again in 5 seconds". The groups are the number, then the unit if it is milliseconds or minutes and not seconds.
var asked = regexp.MustCompile(`(?i)(?:suspended for|(?:retry|try again) (?:after|in)) *([0-9]{1,9}(?:\.[0-9]{1,9})?) *(?:(ms|milliseconds?)|(m|mins?|minutes?)|s|secs?|seconds?)\b`)

// PauseOf finds in a provider's text how long it wants to be left alone, 0 when it does not say. It is for texts that the
// provider wrote: what a contract wrote could say anything.
func PauseOf(text string) time.Duration {
	found := asked.FindStringSubmatch(text)
	if found == nil {
		return 0
	}
	count, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		return 0 // digits always are a number
	}
	unit := time.Second
	switch {
	case found[2] != "":
		unit = time.Millisecond
	case found[3] != "":
		unit = time.Minute
	}
	return time.Duration(min(count*float64(unit), float64(LongestPause)))
}

// RetryAfter reads HTTP's header of that name, seconds or a date; 0 means that it says nothing.
func RetryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, LongestPause)
	}
	if date, err := http.ParseTime(header); err == nil {
		return min(max(0, date.Sub(now)), LongestPause)
	}
	return 0
}
