package evmdev_test

import (
	"context"
	"fmt"
	"log"

	"github.com/balance-sync/balance-sync/devkit/evmdev"
)

func Example() {
	ctx := context.Background()
	node, err := evmdev.Start(ctx, evmdev.Config{ChainID: 31337, Wallets: 10})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = node.Close() }()

	if err := node.Churn(ctx, 0, 5); err != nil {
		log.Fatal(err)
	}
	token := node.Tokens()[0]
	before, err := node.Balance(0, token.Address, node.Wallet(3))
	if err != nil {
		log.Fatal(err)
	}
	after, err := node.Balance(node.Head(), token.Address, node.Wallet(3))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(node.Head(), node.Moved(token.Address), before.Cmp(after) != 0)
	// Output: 1 5 true
}
