package trondev_test

import (
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/trondev"
	"github.com/balance-sync/balance-sync/devkit/wait"
)

func TestEveryHeightKeepsItsBalances(t *testing.T) {
	n := start(t, trondev.Config{Chain: 13, Wallets: 10, Churn: 12})
	type at struct {
		height        int64
		token, wallet string
	}
	seen := map[at]*big.Int{}
	tokens := []string{"", n.Tokens()[0].Address, n.Tokens()[1].Address}
	for range 6 {
		for _, token := range tokens {
			for i := range 10 {
				seen[at{n.Head(), token, n.Wallet(i)}] = truth(t, n, n.Head(), token, n.Wallet(i))
			}
		}
		commit(t, n, 1)
	}
	moved := 0
	for p, want := range seen {
		if have := truth(t, n, p.height, p.token, p.wallet); have.Cmp(want) != 0 {
			t.Errorf("%v is %s now, and was %s", p, have, want)
		}
		if now := truth(t, n, n.Head(), p.token, p.wallet); p.height == trondev.DefaultHeight && now.Cmp(want) != 0 {
			moved++
		}
	}
	if have := n.Moved(tokens...); have < moved || moved == 0 {
		t.Errorf("Moved gives %d, and %d balances are different", have, moved)
	}
	if all, none := n.Moved(), n.Moved(n.Bad()[0].Address); all < n.Moved(tokens...) || none != 0 {
		t.Errorf("moved in all: %d, of a bad token: %d", all, none)
	}
}

func TestTheChurnReachesEveryBalance(t *testing.T) {
	n := start(t, trondev.Config{Chain: 13, Wallets: 20, Churn: 16})
	for range 5 { // 80 balances
		commit(t, n, 1)
	}
	if have := n.Moved(n.Tokens()[0].Address); have != 20 {
		t.Errorf("%d of 20 balances have moved", have)
	}
	if have := n.Moved(""); have != 19 {
		t.Errorf("%d coin balances have moved, want all but the one that is not activated", have)
	}
}

func TestBlocksComeByThemselvesWhileClientsRead(t *testing.T) {
	n := start(t, trondev.Config{Chain: 13, Wallets: 50, BlockPeriod: time.Millisecond, Churn: 20, SolidLag: 2})
	c := dial(t, n.URL())
	t.Run("readers", func(t *testing.T) {
		for reader := range 4 {
			t.Run(strconv.Itoa(reader), func(t *testing.T) {
				t.Parallel()
				for i := range 50 {
					token := []string{"", n.Tokens()[0].Address}[(i+reader)%2]
					c.solidBalance(t, token, n.Wallet(i))
					c.headBalance(t, token, n.Wallet(i))
				}
			})
		}
	})
	target := n.Head() + 5
	wait.For(t, 10*time.Second, "five blocks more", func() bool { return n.Head() >= target })
}

func TestAfterCloseThereAreNoBlocks(t *testing.T) {
	n := start(t, trondev.Config{Chain: 13, Wallets: 1, BlockPeriod: time.Millisecond})
	for range 2 {
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
	head := n.Head()
	if err := n.Commit(); err == nil || n.Head() != head {
		t.Errorf("commit after close: %v", err)
	}
	if err := n.Churn(t.Context(), 0, 1); err == nil {
		t.Error("churn after close works")
	}
	truth(t, n, head, "", n.Wallet(0))
}

func TestWhatMakesNoSenseIsRefused(t *testing.T) {
	for _, cfg := range []trondev.Config{{}, {Chain: 1, Wallets: -1}, {Chain: 1, Churn: -1}, {Chain: 1, SolidLag: -1}, {Chain: 1, Height: -1}, {Chain: 1, BlockPeriod: -1}} {
		if n, err := trondev.Start(t.Context(), cfg); err == nil {
			t.Errorf("%+v is accepted: %v", cfg, n.Close())
		}
	}
	n := start(t, trondev.Config{Chain: 13, Wallets: 1})
	wallet, token := n.Wallet(0), n.Tokens()[0].Address
	for name, err := range map[string]error{
		"amount below 0":      n.Pend("", wallet, big.NewInt(-1)),
		"more sun than int64": n.Set("", wallet, new(big.Int).Lsh(big.NewInt(1), 63)),
		"more than 256 bits":  n.Set(token, wallet, new(big.Int).Lsh(big.NewInt(1), 256)),
		"churn of strangers":  n.Churn(t.Context(), 0, 2),
		"a bad contract":      n.Deploy("TX", nil),
	} {
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, bad := range []string{"", "T0OIl", wallet[:33], swapped(wallet), "0x0000000000000000000000000000000000000001"} {
		if _, err := n.Balance(n.Head(), token, bad); err == nil {
			t.Errorf("the oracle knows wallet %q", bad)
		}
	}
	for _, height := range []int64{-1, 0, n.Head() + 1} {
		if _, err := n.Balance(height, token, wallet); err == nil {
			t.Errorf("the oracle knows height %d", height)
		}
	}
}

// swapped exchanges two digits of an address that differ.
func swapped(address string) string {
	i := 1
	for address[i] == address[i+1] {
		i++
	}
	return address[:i] + strings.Join([]string{address[i+1 : i+2], address[i : i+1]}, "") + address[i+2:]
}
