// Command fetcher-tron reads the balances of TRON chains. It is configured by environment variables; see `balsync config print`.
package main

import (
	"os"

	fetchertron "github.com/balance-sync/balance-sync/services/fetcher-tron"
	"github.com/balance-sync/balance-sync/shared/service"
)

func main() {
	os.Exit(service.Service[fetchertron.Config]{Name: "fetcher-tron", Load: fetchertron.Load, Run: fetchertron.Run}.Main())
}
