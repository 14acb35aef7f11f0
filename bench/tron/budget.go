package tron

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"golang.org/x/sync/errgroup"
)

// The claims under a budget: as many are in hand at once, so that the next ones are sent while answers are on their way. Single calls have
// smaller ones, for they would take minutes; they look at the height each hundred calls either way.
const (
	hands       = 2
	singleClaim = 100
	scanClaim   = 1000
	perMinute   = 60
)

// budget measures what single calls and the scanner read within a budget of requests.
func (s *server) budget(ctx context.Context, opt options, w work, rows []fetch.Row, truth []fetch.Outcome, out io.Writer) (wrong int, err error) {
	for _, how := range []way{single, scanner} {
		claim := scanClaim
		if how == single {
			claim = singleClaim
		}
		f, differing, err := s.spend(ctx, opt, how, rows, truth, claim)
		if err != nil {
			return wrong, err
		}
		wrong += differing
		minute := f.rate() * perMinute
		fmt.Fprintf(out, "%-6s %7d  %-17s %8.1f %9d %10.1f %13.0f %8.1f\n", w, claim, how.name, f.took.Seconds(), f.rows,
			float64(f.traffic.Requests)/f.took.Seconds(), minute, minute/(perMinute*opt.rps))
	}
	return wrong, nil
}

// spend reads claim after claim for as long as the options say, and then what is in hand to its end, over the last link.
func (s *server) spend(ctx context.Context, opt options, w way, rows []fetch.Row, truth []fetch.Outcome, claim int) (f figures, wrong int, err error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	link := len(s.Links) - 1
	r, err := s.reader(ctx, s.Links[link].URL, w, opt.rps)
	if err != nil {
		return f, 0, err
	}
	if _, err := read(ctx, r, w, rows[:min(len(rows), 3)], claim); err != nil { // all assets: their decimals are asked for once
		return f, 0, err
	}
	before, err := s.traffic(link)
	if err != nil {
		return f, 0, err
	}
	var mu sync.Mutex // guards next, f.rows and wrong
	next := 0
	group, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for range hands {
		group.Go(func() error {
			for ctx.Err() == nil && time.Since(began) < opt.budgetFor {
				mu.Lock()
				at := next
				to := min(at+claim, len(rows))
				if next = to; next == len(rows) {
					next = 0
				}
				mu.Unlock()
				outcomes, err := read(ctx, r, w, rows[at:to], claim)
				if err != nil {
					return err
				}
				mu.Lock()
				f.rows += len(outcomes)
				wrong += differ(truth[at:to], outcomes)
				mu.Unlock()
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return f, 0, err
	}
	f.took = time.Since(began)
	after, err := s.traffic(link)
	f.traffic = after.since(before)
	return f, wrong, err
}
