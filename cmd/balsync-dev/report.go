package main

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/balance-sync/balance-sync/shared/service"
)

// report is what a run found: the JSON object of `-o json`.
type report struct {
	Rows           int           `json:"rows"`
	Synced         int           `json:"synced"`
	Errors         int           `json:"errors"`
	ExpectedErrors int           `json:"expected_errors"`
	Wrong          int           `json:"wrong"`
	Unverified     int           `json:"unverified"`
	Seconds        float64       `json:"seconds"`
	RPCRequests    int64         `json:"rpc_requests"`
	Chains         []chainReport `json:"chains"`

	faults []string // rows that are not as they should be, the first few
}

// chainReport is one chain's part.
type chainReport struct {
	Name        string `json:"name"`
	Family      string `json:"family"`
	Rows        int    `json:"rows"`
	Synced      int    `json:"synced"`
	Errors      int    `json:"errors"`
	Wrong       int    `json:"wrong"`
	RPCRequests int64  `json:"rpc_requests"`
	Height      int64  `json:"height"`

	unverified int
}

// mostFaults is how many faulty rows are named; the counts tell of the rest.
const mostFaults = 10

// report verifies every row. The services have stopped, so nothing changes under it.
func (s *stack) report(ctx context.Context, reached milestone) (report, error) {
	r := report{ExpectedErrors: len(s.planted), Seconds: math.Round(reached.after.Seconds()*1000) / 1000}
	for _, c := range s.chains {
		cr := chainReport{Name: c.name, Family: string(c.family), RPCRequests: reached.requests[c.name]}
		err := s.verify(ctx, c, func(row stored, verdict string) {
			cr.Rows++
			expected, planted := s.planted[row.id]
			if row.height != nil {
				cr.Height = max(cr.Height, *row.height)
			}
			if row.lastError != nil {
				cr.Errors++
			}
			switch {
			case verdict == wrong:
				cr.Wrong++
				r.note("%s row %s: stored %s at height %s is wrong", c.name, row.id, text(row.raw), text(row.height))
			case verdict == unverified:
				cr.unverified++
				fallthrough
			case verdict == right && !planted && *row.height >= c.start:
				cr.Synced++
			}
			if got := text(row.lastError); planted != (row.lastError != nil) || planted && !strings.HasPrefix(got, expected) {
				r.note("%s row %s: last_error is %q, expected %q", c.name, row.id, got, expected)
			}
		})
		if err != nil {
			return r, err
		}
		r.Chains = append(r.Chains, cr)
		r.Rows, r.Synced, r.Errors = r.Rows+cr.Rows, r.Synced+cr.Synced, r.Errors+cr.Errors
		r.Wrong, r.Unverified, r.RPCRequests = r.Wrong+cr.Wrong, r.Unverified+cr.unverified, r.RPCRequests+cr.RPCRequests
	}
	return r, nil
}

func (r *report) note(format string, args ...any) {
	if len(r.faults) < mostFaults {
		r.faults = append(r.faults, fmt.Sprintf(format, args...))
	}
}

func text[T any](value *T) string {
	if value == nil {
		return "nothing"
	}
	return fmt.Sprint(*value)
}

// verdict is the run's error: wrong rows, errors where none belong, or a goal that was not reached.
func (r report) verdict(opt options, reached milestone) error {
	details := ""
	if len(r.faults) > 0 {
		details = "\n  " + strings.Join(r.faults, "\n  ")
	}
	switch {
	case r.Wrong > 0:
		return fault{service.ExitFailed, fmt.Errorf("%d of %d rows are wrong%s", r.Wrong, r.Rows, details)}
	case opt.untilSynced && !reached.synced:
		return fault{service.ExitFailed, fmt.Errorf("not synced after %s: %d of %d good rows, %d of %d expected errors%s",
			opt.timeout, r.Synced, r.Rows-r.ExpectedErrors, r.Errors, r.ExpectedErrors, details)}
	case r.Errors != r.ExpectedErrors || opt.untilSynced && len(r.faults) > 0:
		return fault{service.ExitFailed, fmt.Errorf("%d rows have an error, %d were expected%s", r.Errors, r.ExpectedErrors, details)}
	}
	return nil
}
