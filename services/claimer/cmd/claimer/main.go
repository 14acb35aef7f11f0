// Command claimer leases due rows of wallet_balances and publishes them as claims. It is configured by environment variables; see `balsync config print`.
package main

import (
	"os"

	"github.com/balance-sync/balance-sync/services/claimer"
	"github.com/balance-sync/balance-sync/shared/service"
)

func main() {
	os.Exit(service.Service[claimer.Config]{Name: "claimer", Load: claimer.Load, Run: claimer.Run}.Main())
}
