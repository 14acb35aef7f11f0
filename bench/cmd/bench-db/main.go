// Command bench-db measures claim + apply on wallet_balances, without broker and chains, beside the one-row-at-a-time loop that
// it replaces. It reports; it judges nothing.
package main

import (
	"os"

	"github.com/balance-sync/balance-sync/bench/db"
)

func main() { os.Exit(db.Main(os.Args[1:], os.Stdout, os.Stderr)) }
