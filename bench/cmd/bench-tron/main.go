// Command bench-tron measures the fetcher's ways to read balances on a TRON node stand-in. It reports; it judges nothing but values.
package main

import (
	"os"

	"github.com/balance-sync/balance-sync/bench/tron"
)

func main() { os.Exit(tron.Main(os.Args[1:], os.Stdout, os.Stderr)) }
