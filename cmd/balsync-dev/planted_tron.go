package main

import (
	"github.com/balance-sync/balance-sync/devkit/trondev"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// Addresses that no TRON chain has, all with a checksum that is right.
const (
	zeroContract = "T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb"         // 20 bytes of zero
	testPrefix   = "27hVxHqfKL96zrSLEi2uRvVHGfUYjLR3fk1"        // byte 0xa0 in place of 0x41
	evmAddress   = "0xcA11bde05977b3631167028862bE2a173976CA11" // of another family
)

// plantTRON gives the rows that the built-in TRON chain gets.
func plantTRON(n *trondev.Node) []planted {
	wallet, decimals := n.Wallet(1), 18
	token := func(address string) assetSpec {
		return assetSpec{symbol: "planted", contract: &address, decimals: &decimals}
	}
	codes := map[string]string{
		"reverts": wire.CodeReverted, "revert-bomb": wire.CodeReverted, "invalid-opcode": wire.CodeReverted, "returns-nothing": wire.CodeEmptyReturn,
		"returns-31-bytes": wire.CodeShortReturn, "energy-loop": wire.CodeGasExceeded, "no-contract": wire.CodeNoContract,
	}
	var rows []planted
	for _, bad := range n.Bad() {
		rows = append(rows, planted{code: codes[bad.Name], asset: token(bad.Address), address: &wallet})
	}
	rows = append(rows, spoil(n.Tokens()[0].Address, wallet, "not-an-address", wallet[:33], mistype(wallet), testPrefix, evmAddress)...)
	return append(rows, planted{wire.CodeBadToken, token(zeroContract), &wallet}, planted{wire.CodeBadToken, token(evmAddress), &wallet})
}

// mistype exchanges two neighbours of an address that differ: a typing error that the checksum catches.
func mistype(address string) string {
	letters := []byte(address)
	for i := 1; i < len(letters)-1; i++ {
		if letters[i] != letters[i+1] {
			letters[i], letters[i+1] = letters[i+1], letters[i]
			break
		}
	}
	return string(letters)
}
