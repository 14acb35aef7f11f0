package main

import (
	"strings"

	"github.com/balance-sync/balance-sync/devkit/evmdev"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// planted is a row that must end in an error and must never get a value.
type planted struct {
	// code is the error that it must end in.
	code  string
	asset assetSpec
	// address nil: the wallet has none.
	address *string
}

// plant gives the rows that every built-in chain gets: each way in which a row, its token or its wallet can be wrong.
func plant(n *evmdev.Node) []planted {
	wallet, decimals := n.Wallet(0), 18
	token := func(address string) assetSpec {
		return assetSpec{symbol: "planted", contract: &address, decimals: &decimals}
	}
	codes := map[string]string{
		"reverts": wire.CodeReverted, "returns-nothing": wire.CodeEmptyReturn, "returns-31-bytes": wire.CodeShortReturn, "gas-loop": wire.CodeGasExceeded,
		"revert-bomb": wire.CodeReverted, "invalid-opcode": wire.CodeReverted, "no-code": wire.CodeNoContract,
		"reverts-200-kilobytes": wire.CodeReverted, "delegates-to-itself": wire.CodeReverted,
	}
	var rows []planted
	for _, bad := range n.Bad() {
		rows = append(rows, planted{code: codes[bad.Name], asset: token(bad.Address), address: &wallet})
	}
	good := n.Tokens()[0]
	notAnAddress, tooShort, wrongChecksum := "not-an-address", wallet[:41], swapCase(wallet)
	tooMany := 300
	return append(rows,
		planted{wire.CodeBadAddress, token(good.Address), &notAnAddress},
		planted{wire.CodeBadAddress, token(good.Address), &tooShort},
		planted{wire.CodeBadAddress, token(good.Address), &wrongChecksum},
		planted{wire.CodeBadToken, token("0x0000000000000000000000000000000000000000"), &wallet},
		planted{wire.CodeBadToken, token(""), &wallet},
		planted{wire.CodeBadToken, assetSpec{symbol: "planted", decimals: &decimals}, &wallet},
		planted{wire.CodeBadDecimals, assetSpec{symbol: "planted", contract: &good.Address, decimals: &tooMany}, &wallet},
		planted{"no_target", assetSpec{symbol: "planted", contract: &good.Address}, &wallet},
		planted{"no_target", token(good.Address), nil},
	)
}

// swapCase turns the first letter of an address's digits into its other case: a typing error that the checksum catches.
func swapCase(address string) string {
	at := 2 + strings.IndexAny(address[2:], "abcdefABCDEF")
	letter := address[at : at+1]
	if letter == strings.ToLower(letter) {
		return address[:at] + strings.ToUpper(letter) + address[at+1:]
	}
	return address[:at] + strings.ToLower(letter) + address[at+1:]
}
