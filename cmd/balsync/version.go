package main

import (
	"runtime"

	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/spf13/cobra"
)

// versionRow says what was built, and with what.
type versionRow struct {
	Version string `json:"version"`
	Go      string `json:"go"`
}

func version(show shower) *cobra.Command {
	return &cobra.Command{Use: "version", Short: "print the version", Args: none, RunE: func(*cobra.Command, []string) error {
		return show([]string{"VERSION", "GO"}, []versionRow{{service.Version(), runtime.Version()}})
	}}
}
