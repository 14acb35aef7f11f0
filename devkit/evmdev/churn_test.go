package evmdev

import (
	"context"
	"errors"
	"slices"
	"testing"
)

// movable is the assets that Churn moves, as Moved and Balance name them.
func movable(n *Node) []string {
	return []string{"", n.Tokens()[0].Address, n.Tokens()[1].Address, n.Token("proxy").Address}
}

func TestChurnMovesEveryAssetOfItsWalletsAndNoOther(t *testing.T) {
	n := start(t, Config{Wallets: 30})
	if err := n.Churn(t.Context(), 5, 25); err != nil {
		t.Fatal(err)
	}
	if n.Head() != 1 {
		t.Errorf("head is at %d, want a block for the churn", n.Head())
	}
	for _, token := range movable(n) {
		for i := range 30 {
			before := mustBalance(t, n, 0, token, n.Wallet(i))
			after := mustBalance(t, n, 1, token, n.Wallet(i))
			if changed, want := before.Cmp(after) != 0, i >= 5 && i < 25; changed != want {
				t.Errorf("asset %q, wallet %d: %s, then %s", token, i, before, after)
			}
		}
		if got := n.Moved(token); got != 20 {
			t.Errorf("asset %q: %d balances moved, want 20", token, got)
		}
	}
	if got := n.Moved(); got != 80 {
		t.Errorf("%d balances moved, want 80", got)
	}
}

func TestBalanceThatMovesTwiceCountsOnce(t *testing.T) {
	n := start(t, Config{Wallets: 10})
	for range 3 {
		if err := n.Churn(t.Context(), 1, 3); err != nil {
			t.Fatal(err)
		}
	}
	if got := n.Moved(); got != 8 {
		t.Errorf("%d balances moved, want 8", got)
	}
}

func TestEveryFiftiethWalletNeverGetsCoin(t *testing.T) {
	n := start(t, Config{Wallets: 60})
	if err := n.Churn(t.Context(), 0, 60); err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 50} {
		if held := mustBalance(t, n, n.Head(), "", n.Wallet(i)); held.Sign() != 0 {
			t.Errorf("wallet %d got %s wei", i, held)
		}
	}
	if got := n.Moved(""); got != 58 {
		t.Errorf("coin moved in %d wallets, want 58", got)
	}
}

func TestSomeBalancesFallToZeroAndComeBack(t *testing.T) {
	n := start(t, Config{Wallets: 40})
	token := n.Tokens()[1].Address
	fell, rose := 0, 0
	for range 6 {
		if err := n.Churn(t.Context(), 0, 40); err != nil {
			t.Fatal(err)
		}
		for i := range 40 {
			before := mustBalance(t, n, n.Head()-1, token, n.Wallet(i)).Sign()
			after := mustBalance(t, n, n.Head(), token, n.Wallet(i)).Sign()
			if before > 0 && after == 0 {
				fell++
			}
			if before == 0 && after > 0 {
				rose++
			}
		}
	}
	if fell == 0 || rose == 0 {
		t.Errorf("%d balances fell to zero, %d rose from it", fell, rose)
	}
}

func TestBlocksMoveAsManyBalancesAsTold(t *testing.T) {
	n := start(t, Config{Wallets: 600, Churn: 100})
	for block := range 3 {
		if err := n.Commit(); err != nil {
			t.Fatal(err)
		}
		// At most one wallet of the 25 in a block has no coin to come.
		if got, most := n.Moved(), 100*(block+1); got > most || got < most-3 {
			t.Errorf("after block %d %d balances have moved, want about %d", block+1, got, most)
		}
	}
	if n.Head() != 3 {
		t.Errorf("head is at %d after 3 blocks", n.Head())
	}
}

func TestChurnLargerThanATransactionMayBe(t *testing.T) {
	n := start(t, Config{Wallets: 2*walletsPerTx + 1})
	if err := n.Churn(t.Context(), 0, 2*walletsPerTx+1); err != nil {
		t.Fatal(err)
	}
	// All but the coin of wallets 0, 50, 100 up to 800.
	if got, want := n.Moved(), 4*(2*walletsPerTx+1)-17; got != want {
		t.Errorf("%d balances moved, want %d", got, want)
	}
}

func TestChurnOfUnknownWalletsIsRefused(t *testing.T) {
	n := start(t, Config{Wallets: 10})
	for _, r := range [][2]int{{-1, 3}, {5, 4}, {0, 11}} {
		if err := n.Churn(t.Context(), r[0], r[1]); err == nil {
			t.Errorf("wallets %v moved", r)
		}
	}
	if n.Head() != 0 {
		t.Errorf("a refused churn made block %d", n.Head())
	}
}

func TestCancelledChurnLeavesNothingBehind(t *testing.T) {
	n := start(t, Config{Wallets: 10})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Churn(ctx, 0, 10); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := n.Commit(); err != nil {
		t.Fatal(err)
	}
	if n.Head() != 1 || n.Moved() != 0 {
		t.Errorf("head at %d with %d balances moved", n.Head(), n.Moved())
	}
}

// The transaction is mined and fails: the effect is half there, and the next one must still work.
func TestFailedChurnIsReportedAndDoesNotBlockTheNext(t *testing.T) {
	n := start(t, Config{Wallets: 10})
	whole := slices.Clone(n.mover.assets)
	for _, name := range []string{"reverts", "gas-loop"} {
		n.mover.assets[1].target = contractAddress(name)
		if err := n.Churn(t.Context(), 0, 10); err == nil {
			t.Errorf("churn by %s went through", name)
		}
		n.mover.assets = slices.Clone(whole)
		if err := n.Churn(t.Context(), 0, 10); err != nil {
			t.Errorf("churn after %s: %v", name, err)
		}
	}
}

// Underfunded: the pool refuses some transactions, after it took others.
func TestRefusedChurnIsReportedAndDoesNotBlockTheNext(t *testing.T) {
	n := start(t, Config{Wallets: 10})
	coins := n.mover.assets[0].coins
	for i, a := range n.mover.assets {
		if a.token == "" {
			continue
		}
		n.mover.assets[i].coins = mustBalance(t, n, 0, "", n.mover.funder.Hex())
		if err := n.Churn(t.Context(), 0, 10); err == nil {
			t.Error("coins that the funder does not have were sent")
		}
		n.mover.assets[i].coins = a.coins
	}
	n.mover.assets[0].coins = coins
	if err := n.Churn(t.Context(), 0, 10); err != nil {
		t.Error(err)
	}
}

func TestRewoundChainGoesOnAsAnotherFork(t *testing.T) {
	for _, depth := range []int{1, 5, 12} {
		n := start(t, Config{Wallets: 12})
		token := n.Tokens()[0].Address
		heights := make(map[int64]string)
		for range 15 {
			if err := n.Churn(t.Context(), 0, 12); err != nil {
				t.Fatal(err)
			}
			heights[n.Head()] = mustBalance(t, n, n.Head(), token, n.Wallet(3)).String()
		}
		if err := n.Rewind(depth); err != nil {
			t.Fatal(err)
		}
		if n.Head() != int64(15-depth) {
			t.Fatalf("head at %d after a rewind of %d", n.Head(), depth)
		}
		if err := n.Commit(); err != nil { // empty: nothing of the dropped blocks comes back
			t.Fatal(err)
		}
		before := mustBalance(t, n, n.Head()-1, token, n.Wallet(3)).String()
		if got := mustBalance(t, n, n.Head(), token, n.Wallet(3)).String(); got != before || got != heights[n.Head()-1] {
			t.Errorf("depth %d: an empty block moved %s to %s", depth, before, got)
		}
		for n.Head() < 15 {
			if err := n.Churn(t.Context(), 0, 12); err != nil {
				t.Fatal(err)
			}
		}
		now := mustBalance(t, n, 15, token, n.Wallet(3))
		if now.String() == heights[15] {
			t.Errorf("depth %d: the fork ends as the first one did", depth)
		}
		if told := askBalance(t, n, 15, token, n.Wallet(3)); told.Cmp(now) != 0 {
			t.Errorf("depth %d: oracle %s, geth %s", depth, now, told)
		}
	}
	n := start(t, Config{})
	if n.Rewind(1) == nil || n.Rewind(-1) == nil {
		t.Error("rewound below the first block or above the last")
	}
}
