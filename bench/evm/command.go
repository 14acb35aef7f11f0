package evm

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
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/uuid"
	"github.com/spf13/pflag"
)

// serveCommand makes the program the serving process.
const serveCommand = "serve"

// assetsOfAWallet: the coin, a token of 18 and one of 6 decimals, and a proxy.
const assetsOfAWallet = 4

// options of a run.
type options struct {
	rows     []int
	trips    []time.Duration
	slow     int
	gethOnly bool
}

func (o options) most() int { return slices.Max(o.rows) }

// Main runs the bench with the arguments of its command line and gives the exit code.
func Main(args []string, out, notes io.Writer) int {
	serving := len(args) > 0 && args[0] == serveCommand
	flags := pflag.NewFlagSet("bench-evm", pflag.ContinueOnError)
	flags.SetOutput(notes)
	var opt options
	flags.IntSliceVar(&opt.rows, "rows", []int{1000, 10_000}, "how many balances to read, multiples of 4")
	flags.DurationSliceVar(&opt.trips, "rtt", []time.Duration{0, 30 * time.Millisecond}, "what each request takes on its way")
	flags.IntVar(&opt.slow, "single-rows", 400, "with a delay, single calls read only so many: the rate does not depend on it")
	flags.BoolVar(&opt.gethOnly, "geth-only", false, "leave anvil out")
	given := args
	if serving {
		given = args[1:]
	}
	err := flags.Parse(given)
	if errors.Is(err, pflag.ErrHelp) {
		return 0
	}
	for _, n := range opt.rows {
		if err == nil && (n < assetsOfAWallet || n%assetsOfAWallet != 0) {
			err = fmt.Errorf("--rows %d: must be a multiple of %d", n, assetsOfAWallet)
		}
	}
	if err == nil && (len(opt.rows) == 0 || len(opt.trips) == 0) {
		err = errors.New("--rows and --rtt need a value")
	}
	if err != nil {
		fmt.Fprintln(notes, "bench-evm:", err)
		return 3
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if serving {
		err = serve(ctx, opt, out)
	} else {
		err = bench(ctx, opt, given, out, notes)
	}
	if err != nil {
		fmt.Fprintln(notes, "bench-evm:", err)
		return 1
	}
	return 0
}

// bench measures every way on every link.
func bench(ctx context.Context, opt options, args []string, out, notes io.Writer) (err error) {
	s, stop, err := startServer(ctx, args, notes)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	all := rowsOf(s)
	fmt.Fprintf(out, "%-6s %5s %7s  %-18s %11s %8s %9s %8s %8s %8s\n", "node", "rtt", "rows", "way", "balances/s", "x single", "req/1000", "B up", "B down", "allocs")
	wrong := 0
	for _, l := range s.Links {
		for _, n := range opt.rows {
			differ, err := compare(ctx, opt, l, all[:n], out)
			if err != nil {
				return fmt.Errorf("%s: %w", l.Node, err)
			}
			wrong += differ
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d values are not those that single calls gave", wrong)
	}
	fmt.Fprintln(out, "every value is the one that single calls gave")
	return nil
}

// compare measures the ways on one link and counts the values that differ from those of single calls, the first way.
func compare(ctx context.Context, opt options, l servedLink, rows []fetch.Row, out io.Writer) (differ int, err error) {
	var base figures
	var truth []fetch.Outcome
	for i, w := range ways {
		some := rows
		if i == 0 && l.Trip > 0 {
			some = rows[:min(len(rows), opt.slow)]
		}
		f, outcomes, err := measure(ctx, l, w, some)
		if err != nil {
			return differ, err
		}
		if i == 0 {
			base, truth = f, outcomes
		}
		for j := range truth {
			if outcomes[j].Raw != truth[j].Raw || outcomes[j].Proof.Height != truth[j].Proof.Height {
				differ++
			}
		}
		per := func(n int64) float64 { return float64(n) / float64(f.rows) }
		fmt.Fprintf(out, "%-6s %5s %7d  %-18s %11.0f %8.1f %9.1f %8.0f %8.0f %8.1f\n", l.Node, l.Trip, f.rows, w.name, f.rate(), f.rate()/base.rate(),
			1000*per(f.traffic.Requests), per(f.traffic.Up), per(f.traffic.Down), per(int64(f.allocs)))
	}
	return differ, nil
}

// rowsOf lists the balances wallet by wallet, as claims have them.
func rowsOf(s served) []fetch.Row {
	assets := []wire.Asset{{ID: uuid.New(), Decimals: 18, Native: true}}
	for _, t := range s.Tokens {
		assets = append(assets, wire.Asset{ID: uuid.New(), Contract: t.Address, Decimals: t.Decimals})
	}
	var rows []fetch.Row
	for _, address := range s.Wallets {
		wallet := uuid.New()
		for _, asset := range assets {
			rows = append(rows, fetch.Row{ID: uuid.New(), Wallet: wallet, Address: address, Asset: asset})
		}
	}
	return rows
}
