// Command writer applies results to wallet_balances. It is configured by environment variables; see `balsync config print`.
package main

import (
	"os"

	"github.com/balance-sync/balance-sync/services/writer"
	"github.com/balance-sync/balance-sync/shared/service"
)

func main() {
	os.Exit(service.Service[writer.Config]{Name: "writer", Load: writer.Load, Run: writer.Run}.Main())
}
