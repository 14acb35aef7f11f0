package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/spf13/cobra"
)

// console is what a command touches of the world, so that tests can run commands in their own process.
type console struct {
	lookup   chain.Lookup
	out, err io.Writer
}

// fault is an error with the exit code that it means.
type fault struct {
	code int
	err  error
}

func (f fault) Error() string { return f.err.Error() }
func (f fault) Unwrap() error { return f.err }

// usage marks an error of the command line or the configuration.
func usage(err error) error { return fault{service.ExitUsage, err} }

// run executes one command line and gives its exit code: 0 done, 1 failed or wrong, 2 unhealthy, 3 usage or configuration.
func run(args []string, c console) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	env := service.NewEnv(c.lookup)
	root := newRoot(c, env)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	for _, warning := range env.Warnings() {
		fmt.Fprintf(c.err, "balsync: warning: %s\n", warning)
	}
	if err == nil {
		return service.ExitDone
	}
	scrub := secret.NewScrubber(env.Secrets()...)
	fmt.Fprintf(c.err, "balsync: %s\n", scrub.Scrub(err.Error()))
	var f fault
	if errors.As(err, &f) {
		return f.code
	}
	return service.ExitFailed
}

func newRoot(c console, env *service.Env) *cobra.Command {
	root := &cobra.Command{
		Use:           "balsync",
		Short:         "Operate balance-sync: prepare the database and the broker, check configurations",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage(fmt.Errorf("unknown command %q: `balsync help` lists them", args[0]))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(c.out)
	root.SetErr(c.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage(fmt.Errorf("%w: `%s --help` lists the flags", err, cmd.CommandPath()))
	})
	output := root.PersistentFlags().StringP("output", "o", "table", "output format: table or json")
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if *output != "table" && *output != "json" {
			return usage(fmt.Errorf("--output %q: must be table or json", *output))
		}
		return nil
	}
	show := func(columns []string, rows any) error { return print(c.out, *output, columns, rows) }
	root.AddCommand(migrate(c, env, show), provision(c, env, show), config(c, env, show), version(show))
	return root
}

// group is a command that only holds others: alone it is a mistake, and says what there is.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{Use: use, Short: short, RunE: func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usage(fmt.Errorf("unknown command %q: `%s --help` lists those of %s", args[0], cmd.CommandPath(), cmd.CommandPath()))
		}
		return usage(fmt.Errorf("%s needs one of its commands: `%s --help` lists them", cmd.CommandPath(), cmd.CommandPath()))
	}}
	g.AddCommand(commands...)
	return g
}

// none refuses arguments.
func none(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(fmt.Errorf("%s takes no argument, %q was given", cmd.CommandPath(), args[0]))
	}
	return nil
}
