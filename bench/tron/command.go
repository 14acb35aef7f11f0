package tron

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/spf13/pflag"
)

// serveCommand makes the program the serving process.
const serveCommand = "serve"

// options of a run.
type options struct {
	rows      int
	claims    []int
	trips     []time.Duration
	works     []work
	slow      int
	rps       float64
	budgetFor time.Duration
	wallClock bool
}

// parse reads the arguments of the command line.
func parse(args []string, notes io.Writer) (opt options, err error) {
	flags := pflag.NewFlagSet("bench-tron", pflag.ContinueOnError)
	flags.SetOutput(notes)
	names := []string{string(trc20), string(trx), string(mixed)}
	flags.IntVar(&opt.rows, "rows", 10_000, "how many balances to read")
	flags.IntSliceVar(&opt.claims, "claim", []int{50, 200, 500, 1000}, "how many of them a claim has")
	flags.DurationSliceVar(&opt.trips, "rtt", []time.Duration{0, 30 * time.Millisecond}, "what a round trip takes")
	flags.StringSliceVar(&names, "work", names, "which balances")
	flags.IntVar(&opt.slow, "single-rows", 400, "with a delay, single calls read only so many, or one claim: the rate does not depend on it")
	flags.Float64Var(&opt.rps, "rps", 15, "the budget, in requests a second, of the second table")
	flags.DurationVar(&opt.budgetFor, "budget-for", 10*time.Second, "how long each line of the second table is measured; 0 leaves it out")
	flags.BoolVar(&opt.wallClock, "wall-clock", false, "cut calls off after 80 ms of this machine's time and not of java-tron's")
	if err := flags.Parse(args); err != nil {
		return opt, err
	}
	if opt.works, err = worksOf(names); err != nil {
		return opt, err
	}
	switch {
	case len(opt.claims) == 0 || len(opt.trips) == 0 || len(opt.works) == 0:
		return opt, errors.New("--claim, --rtt and --work need a value")
	case opt.rows < 1 || slices.Min(opt.claims) < 1 || opt.slow < 1 || opt.rps <= 0:
		return opt, errors.New("--rows, --claim, --single-rows and --rps must be above 0")
	case slices.Min(opt.trips) < 0 || opt.budgetFor < 0:
		return opt, errors.New("--rtt and --budget-for must not be below 0")
	}
	return opt, nil
}

// Main runs the bench with the arguments of its command line and gives the exit code.
func Main(args []string, out, notes io.Writer) int {
	given := args
	serving := len(args) > 0 && args[0] == serveCommand
	if serving {
		given = args[1:]
	}
	opt, err := parse(given, notes)
	if errors.Is(err, pflag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(notes, "bench-tron:", err)
		return 3
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if serving {
		err = serve(ctx, opt, os.Stdin, out)
	} else {
		err = bench(ctx, opt, given, out, notes)
	}
	if err != nil {
		fmt.Fprintln(notes, "bench-tron:", err)
		return 1
	}
	return 0
}

// bench measures every way on every link, and then what a budget gives.
func bench(ctx context.Context, opt options, args []string, out, notes io.Writer) (err error) {
	s, err := startServer(ctx, args, notes)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	clock := "metered as java-tron's"
	if opt.wallClock {
		clock = "this machine's"
	}
	fmt.Fprintf(out, "a call is cut off at 80 ms, %s\n", clock)
	fmt.Fprintf(out, "%-6s %5s %6s %9s  %-17s %11s %8s %9s %8s %8s %8s\n", "rows", "rtt", "claim", "balances", "way", "balances/s", "x single", "req/1000", "B up", "B down", "allocs")
	wrong := 0
	rows, truth := map[work][]fetch.Row{}, map[work][]fetch.Outcome{}
	for _, w := range opt.works {
		rows[w] = w.rows(s.served, opt.rows)
		if truth[w], err = s.truth(ctx, rows[w]); err != nil {
			return fmt.Errorf("%s: %w", w, err)
		}
		for link := range s.Links {
			for _, claim := range opt.claims {
				differing, err := s.compare(ctx, opt, link, claim, w, rows[w], truth[w], out)
				if err != nil {
					return fmt.Errorf("%s: %w", w, err)
				}
				wrong += differing
			}
		}
	}
	if opt.budgetFor > 0 {
		fmt.Fprintf(out, "\nat %g requests/s, a round trip of %s and %d claims in hand, scaled to a minute from the seconds measured; a balance a request were %.0f\n",
			opt.rps, opt.trips[len(opt.trips)-1], hands, perMinute*opt.rps)
		fmt.Fprintf(out, "%-6s %7s  %-17s %8s %9s %10s %13s %8s\n", "rows", "claim", "way", "seconds", "balances", "requests/s", "balances/min", "x "+fmt.Sprintf("%.0f", perMinute*opt.rps))
		for _, w := range opt.works {
			differing, err := s.budget(ctx, opt, w, rows[w], truth[w], out)
			if err != nil {
				return fmt.Errorf("%s at a budget: %w", w, err)
			}
			wrong += differing
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d values are not those that single calls gave", wrong)
	}
	fmt.Fprintln(out, "every value is the one that single calls gave")
	return nil
}

// truth is what single calls give for the rows, all of them, without a line between.
func (s *server) truth(ctx context.Context, rows []fetch.Row) ([]fetch.Outcome, error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	r, err := s.reader(ctx, s.URL, single, 0)
	if err != nil {
		return nil, err
	}
	return read(ctx, r, single, rows, len(rows))
}

// compare measures the ways on one link and counts the values that differ from the truth.
func (s *server) compare(ctx context.Context, opt options, link, claim int, w work, rows []fetch.Row, truth []fetch.Outcome, out io.Writer) (wrong int, err error) {
	var base figures
	for i, how := range ways {
		n := len(rows)
		if how == single && s.Links[link].Trip > 0 {
			n = min(n, max(opt.slow, claim))
		}
		f, outcomes, err := s.measure(ctx, link, how, rows, claim, n)
		if err != nil {
			return wrong, err
		}
		if i == 0 {
			base = f
		}
		wrong += differ(truth, outcomes)
		per := func(n int64) float64 { return float64(n) / float64(f.rows) }
		fmt.Fprintf(out, "%-6s %5s %6d %9d  %-17s %11.0f %8.1f %9.1f %8.0f %8.0f %8.1f\n", w, s.Links[link].Trip, claim, f.rows, how.name, f.rate(), f.rate()/base.rate(),
			1000*per(f.traffic.Requests), per(f.traffic.Up), per(f.traffic.Down), per(int64(f.allocs)))
	}
	return wrong, nil
}
