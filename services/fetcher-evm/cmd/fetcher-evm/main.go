// Command fetcher-evm reads the balances of EVM chains. It is configured by environment variables; see `balsync config print`.
package main

import (
	"os"

	fetcherevm "github.com/balance-sync/balance-sync/services/fetcher-evm"
	"github.com/balance-sync/balance-sync/shared/service"
)

func main() {
	os.Exit(service.Service[fetcherevm.Config]{Name: "fetcher-evm", Load: fetcherevm.Load, Run: fetcherevm.Run}.Main())
}
