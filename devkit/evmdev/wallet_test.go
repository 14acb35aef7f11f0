package evmdev

import (
	"strings"
	"testing"
)

// keccak256 of the words 0 and 1: the storage positions of the first dynamic arrays of any contract.
func TestWalletIsTheEndOfItsNumbersHash(t *testing.T) {
	n := start(t, Config{})
	want := []string{
		"290decd9548b62a8d60345a988386fc84ba6bc95484008f6362f93160ef3e563",
		"b10e2d527612073b26eecdfd717e6a320cf44b4afac2b0732d9fcbe2b7fa0cf6",
	}
	for i, hash := range want {
		if got := n.Wallet(i); strings.ToLower(got) != "0x"+hash[24:] {
			t.Errorf("wallet %d is %s, want the end of %s", i, got, hash)
		}
	}
	if got := n.Wallet(0); got == strings.ToLower(got) {
		t.Errorf("wallet 0 is %s, want checksum case", got)
	}
}

func TestWalletBeyondTheFundedOnesIsEmpty(t *testing.T) {
	n := start(t, Config{Wallets: 2})
	for _, asset := range readable(n) {
		if held := mustBalance(t, n, 0, asset.Address, n.Wallet(2)); held.Sign() != 0 {
			t.Errorf("%s: wallet 2 of 2 holds %s", asset.Name, held)
		}
	}
}
