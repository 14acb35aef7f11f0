package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/balance-sync/balance-sync/services/claimer"
	fetcherevm "github.com/balance-sync/balance-sync/services/fetcher-evm"
	fetchertron "github.com/balance-sync/balance-sync/services/fetcher-tron"
	"github.com/balance-sync/balance-sync/services/writer"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
)

// loader reads one program's configuration for the sake of its faults and settings.
type loader struct {
	name string
	load func(*service.Env)
}

// loaders are the programs whose configuration can be checked.
func loaders() []loader {
	return []loader{
		{"claimer", func(env *service.Env) { service.LoadFrame(env); database(env, claimer.Load(env).Database) }},
		{"fetcher-evm", func(env *service.Env) { service.LoadFrame(env); fetcherevm.Load(env) }},
		{"fetcher-tron", func(env *service.Env) { service.LoadFrame(env); fetchertron.Load(env) }},
		{"writer", func(env *service.Env) { service.LoadFrame(env); database(env, writer.Load(env).Database) }},
		{"provision", func(env *service.Env) { loadProvision(env) }},
	}
}

// database notes a DATABASE_URL that the service would end over at its start.
func database(env *service.Env, url secret.Text) {
	if _, err := pgx.ParseConfig(url.Reveal()); err != nil && !url.Empty() {
		env.Fault("%w", errNoURL)
	}
}

// settingRow is an effective value of a program, secrets masked.
type settingRow struct {
	Service string `json:"service"`
	Key     string `json:"key"`
	Value   string `json:"value"`
}

func config(c console, env *service.Env, show shower) *cobra.Command {
	names := make([]string, 0, 4)
	for _, l := range loaders() {
		names = append(names, l.name)
	}
	arguments := fmt.Sprintf("[%s]...", strings.Join(names, "|"))
	validate := &cobra.Command{Use: "validate " + arguments, Short: "report every fault in the configuration of the named programs, or of all"}
	validate.RunE = func(_ *cobra.Command, args []string) error {
		if _, err := load(c, env, names, args); err != nil {
			return err
		}
		fmt.Fprintln(c.out, "ok")
		return nil
	}
	print := &cobra.Command{Use: "print " + arguments, Short: "print the effective configuration, secrets masked"}
	print.RunE = func(_ *cobra.Command, args []string) error {
		rows, err := load(c, env, names, args)
		if err != nil {
			return err
		}
		return show([]string{"SERVICE", "KEY", "VALUE"}, rows)
	}
	return group("config", "the configuration in the environment and the chains file", validate, print, natsUsers(c, env))
}

// load reads the configuration of the chosen programs. Faults that several have in common are said once.
func load(c console, env *service.Env, names, chosen []string) ([]settingRow, error) {
	for _, name := range chosen {
		if !slices.Contains(names, name) {
			return nil, usage(fmt.Errorf("%q is not one of %s", name, strings.Join(names, ", ")))
		}
	}
	var rows []settingRow
	var faults []string
	for _, l := range loaders() {
		if len(chosen) > 0 && !slices.Contains(chosen, l.name) {
			continue
		}
		own := service.NewEnv(c.lookup)
		l.load(own)
		env.Know(own.Secrets()...)
		env.Warn(own.Warnings()...)
		if err := own.Err(); err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !slices.Contains(faults, line) {
					faults = append(faults, line)
				}
			}
		}
		for _, s := range own.Settings() {
			rows = append(rows, settingRow{l.name, s.Key, s.Value})
		}
	}
	if len(faults) > 0 {
		many := "s"
		if len(faults) == 1 {
			many = ""
		}
		return nil, usage(fmt.Errorf("the configuration has %d fault%s:\n%s", len(faults), many, strings.Join(faults, "\n")))
	}
	return rows, nil
}
