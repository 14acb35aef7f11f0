package trondev_test

import (
	"context"
	"fmt"
	"math/big"

	"github.com/balance-sync/balance-sync/devkit/trondev"
)

func Example() {
	n, err := trondev.Start(context.Background(), trondev.Config{Chain: 1, Wallets: 10, SolidLag: 19})
	if err != nil {
		fmt.Println(err)
		return
	}
	token, wallet := n.Tokens()[0], n.Wallet(3)
	if err := n.Pend(token.Address, wallet, big.NewInt(5)); err != nil {
		fmt.Println(err)
	}
	if err := n.Commit(); err != nil {
		fmt.Println(err)
	}
	balance, err := n.Balance(n.Head(), token.Address, wallet)
	fmt.Println(balance, n.Head()-n.Solid(), err)
	fmt.Println(n.Close())
	// Output:
	// 5 19 <nil>
	// <nil>
}
