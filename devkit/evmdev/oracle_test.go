package evmdev

import (
	"strings"
	"testing"
)

func TestOracleEqualsWhatGethAnswersAtTheSameBlock(t *testing.T) {
	n := start(t, Config{Wallets: 120, Churn: 130})
	if err := n.CommitN(3); err != nil {
		t.Fatal(err)
	}
	for height := range n.Head() + 1 {
		for _, asset := range readable(n) {
			for _, i := range []int{0, 1, 2, 3, 4, 5, hugeWallet, 50, 60, 119, 120} {
				wallet := n.Wallet(i)
				told := askBalance(t, n, height, asset.Address, wallet)
				if held := mustBalance(t, n, height, asset.Address, wallet); held.Cmp(told) != 0 {
					t.Errorf("block %d, %s, wallet %d: oracle %s, geth %s", height, asset.Name, i, held, told)
				}
			}
		}
	}
}

func TestEveryHeightStaysReadableFarBeyond128Blocks(t *testing.T) {
	n := start(t, Config{Wallets: 20, Churn: 7})
	if err := n.CommitN(200); err != nil {
		t.Fatal(err)
	}
	changes := 0
	for _, asset := range readable(n) {
		before := mustBalance(t, n, 0, asset.Address, n.Wallet(9))
		for height := range n.Head() + 1 {
			held := mustBalance(t, n, height, asset.Address, n.Wallet(9))
			if held.Cmp(before) != 0 {
				changes++
			}
			before = held
			if height%50 == 0 {
				if told := askBalance(t, n, height, asset.Address, n.Wallet(9)); told.Cmp(held) != 0 {
					t.Errorf("block %d, %s: oracle %s, geth %s", height, asset.Name, held, told)
				}
			}
		}
	}
	// 1,400 moves went round 80 balances.
	if changes < 4*200*7/80-8 {
		t.Errorf("the four movable balances of one wallet changed only %d times", changes)
	}
}

func TestGenesisHasZerosAndA78DigitBalance(t *testing.T) {
	n := start(t, Config{Wallets: 101})
	for number, asset := range readable(n)[:4] {
		for i := range 101 {
			held := mustBalance(t, n, 0, asset.Address, n.Wallet(i))
			if zero := held.Sign() == 0; zero != (i%50 == number) {
				t.Errorf("%s, wallet %d holds %s", asset.Name, i, held)
			}
		}
	}
	huge := mustBalance(t, n, 0, n.Tokens()[0].Address, n.Wallet(hugeWallet))
	if digits := len(huge.String()); digits != 78 {
		t.Errorf("the huge balance has %d digits: %s", digits, huge)
	}
}

func TestNoTwoAssetsOrWalletsStartAlike(t *testing.T) {
	n := start(t, Config{Wallets: 40})
	seen := make(map[string]string)
	for _, asset := range readable(n) {
		for i := range 40 {
			held := mustBalance(t, n, 0, asset.Address, n.Wallet(i)).String()
			if other, ok := seen[held]; ok && held != "0" && asset.Name != returnsMax {
				t.Errorf("%s, wallet %d holds %s, as does %s", asset.Name, i, held, other)
			}
			seen[held] = asset.Name
		}
	}
}

func TestOracleRefusesWhatItCannotKnow(t *testing.T) {
	n := start(t, Config{Wallets: 3})
	token, wallet := n.Tokens()[0].Address, n.Wallet(1)
	cases := []struct {
		name          string
		height        int64
		token, wallet string
		want          string
	}{
		{"a block to come", 1, token, wallet, "no block 1"},
		{"a negative block", -1, token, wallet, "no block -1"},
		{"a wallet that is none", 0, token, "0x12", "not an address"},
		{"a token that is none", 0, "USDT", wallet, "not an address"},
		{"a token nobody planted", 0, wallet, wallet, "no true balance"},
		{"the code behind the proxy", 0, contractAddress(proxied).Hex(), wallet, "no true balance"},
	}
	for _, bad := range n.Bad() {
		cases = append(cases, struct {
			name          string
			height        int64
			token, wallet string
			want          string
		}{bad.Name, 0, bad.Address, wallet, "no true balance"})
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			held, err := n.Balance(c.height, c.token, c.wallet)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, %v; want an error with %q", held, err, c.want)
			}
		})
	}
}
