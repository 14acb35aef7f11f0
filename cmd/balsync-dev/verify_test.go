package main

import (
	"math/big"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/trondev"
)

// A TRON node gives no state at a height: a value is right if it was true at its height or at one of the two above.
func TestATRONValueMayBeTwoBlocksNewerThanItsHeightAndNeverOlder(t *testing.T) {
	n, err := trondev.Start(t.Context(), trondev.Config{Chain: 1, Wallets: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	token, wallet := n.Tokens()[0], n.Wallet(0)
	for amount := range int64(5) { // at the first block after the start it is 1000000, then 1000001, …
		if err := n.Pend(token.Address, wallet, big.NewInt(1_000_000+amount)); err != nil {
			t.Fatal(err)
		}
		if err := n.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	s := &stack{}
	c := &devChain{node: n, newer: tronNewer}
	judge := func(raw, human string, height int64) string {
		t.Helper()
		verdict, err := s.judge(c, stored{raw: &raw, human: &human, height: &height, decimals: &token.Decimals, contract: token.Address, address: wallet})
		if err != nil {
			t.Fatal(err)
		}
		return verdict
	}
	first := n.Head() - 4
	for _, q := range []struct {
		raw, human string
		height     int64
		want       string
	}{
		{"1000001", "1.000001", first + 1, right},
		{"1000002", "1.000002", first + 1, right},
		{"1000003", "1.000003", first + 1, right},
		{"1000004", "1.000004", first + 1, wrong},
		{"1000000", "1.000000", first + 1, wrong},
		{"1000002", "1.000001", first + 1, wrong}, // each true, and not of one block
		{"1000004", "1.000004", n.Head(), right},
		{"1000003", "1.000003", n.Head(), wrong},
	} {
		if got := judge(q.raw, q.human, q.height); got != q.want {
			t.Errorf("%s (%s) at block %d: %s, want %s", q.raw, q.human, q.height-first, got, q.want)
		}
	}
	c.newer = 0
	if got := judge("1000002", "1.000002", first+1); got != wrong {
		t.Errorf("a newer value on a chain with state at a height: %s, want wrong", got)
	}
}
