// Command bench-evm measures the fetcher's ways to read balances on geth and on anvil. It reports; it judges nothing but values.
package main

import (
	"os"

	"github.com/balance-sync/balance-sync/bench/evm"
)

func main() { os.Exit(evm.Main(os.Args[1:], os.Stdout, os.Stderr)) }
