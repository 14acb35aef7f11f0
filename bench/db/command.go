package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/balance-sync/balance-sync/devkit/pgdev"
	"github.com/spf13/pflag"
)

// options of a run.
type options struct {
	rows   int
	batch  int
	length time.Duration
	rounds int
}

// Main runs the bench with the arguments of its command line and gives the exit code.
func Main(args []string, out, notes io.Writer) int {
	var opt options
	flags := pflag.NewFlagSet("bench-db", pflag.ContinueOnError)
	flags.SetOutput(notes)
	flags.IntVar(&opt.rows, "rows", 1_000_000, "rows of the table, a multiple of 15")
	flags.IntVar(&opt.batch, "batch", 1000, "rows of a claim and of an apply")
	flags.DurationVar(&opt.length, "for", 15*time.Second, "length of each measurement")
	flags.IntVar(&opt.rounds, "rounds", 2, "how often the two are measured in turn")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return 0
		}
		fmt.Fprintln(notes, "bench-db:", err)
		return 3
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := bench(ctx, opt, out, notes); err != nil {
		fmt.Fprintln(notes, "bench-db:", err)
		return 1
	}
	return 0
}

// bench prepares the table and measures.
func bench(ctx context.Context, opt options, out, notes io.Writer) (err error) {
	server, err := pgdev.Start(ctx, pgdev.Options{Durable: true, Settings: map[string]string{"shared_buffers": "4GB", "max_wal_size": "8GB", "checkpoint_timeout": "30min"}})
	if err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	t, err := prepare(ctx, server.URL(), opt, notes)
	if err != nil {
		return err
	}
	defer t.pool.Close()
	fmt.Fprintf(out, "%-6s %-22s %10s %12s %8s %8s\n", "round", "way", "rows/s", "rows", "HOT", "WAL B/row")
	var ratio []float64
	for round := 1; round <= opt.rounds; round++ {
		ours, err := t.measure(ctx, opt, t.claimAndApply)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "       a row costs %.1f µs of a claim and %.1f µs of an apply, side by side\n",
			float64(t.claiming.Microseconds())/float64(max(ours.rows, 1)), float64(t.applying.Microseconds())/float64(max(ours.rows, 1)))
		seed, err := t.measure(ctx, opt, t.rowByRow)
		if err != nil {
			return err
		}
		ours.print(out, round, "claim + apply")
		seed.print(out, round, "one row at a time")
		ratio = append(ratio, ours.rate()/seed.rate())
	}
	for _, r := range ratio {
		fmt.Fprintf(out, "claim + apply is %.0f times as fast\n", r)
	}
	return nil
}
