package evmdev

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// role says what an honest reader must make of a token.
type role int

const (
	good        role = iota // reads like any ERC-20
	odd                     // has a true balance, which takes care to read
	oddDecimals             // has a true balance, but decimals() that is not what Token.Decimals says
	fickle                  // has a true balance, but another answer for some who ask
	bad                     // has no balance at all
	inner                   // not to be asked: what the others are made with
)

// contract is one entry of the list of planted contracts.
type contract struct {
	token Token
	role  role
	at    common.Address
	code  artefact
	// balances is the storage slot of the balances, or -1 if the contract has none.
	balances int
}

// firstToken is the asset number of the first of the contracts; number 0 is the chain's own coin.
const firstToken = 1

const (
	proxied     = "implementation" // the code that the proxy runs
	nativeMover = "native-mover"   // sends the chain's own coin to wallets
	returnsMax  = "returns-max"    // gives every wallet 2^256-1
)

// contracts lists what stands on every chain. Position + firstToken is the asset number.
func contracts(compiled artefacts) ([]contract, error) {
	list := []struct {
		name     string
		code     string // in the artefacts; empty: an address without code
		decimals int
		role     role
	}{
		{"token18", "Token", 18, good},
		{"token6", "Token", 6, good},
		{"proxy", "Proxy", 6, odd},
		{"heavy", "Heavy", 18, odd},
		{"returns-64-bytes", "Returns64Bytes", 18, odd},
		{"returns-megabyte", "ReturnsMegabyte", 18, odd},
		{"returns-100-bytes", "Returns100Bytes", 18, odd},
		{returnsMax, "ReturnsMax", 18, odd},
		{"return-bomb", "ReturnBomb", 18, odd},
		{"decimals-differ", "DecimalsDiffer", 18, oddDecimals},
		{"decimals-revert", "DecimalsRevert", 18, oddDecimals},
		{"decimals-empty", "DecimalsEmpty", 18, oddDecimals},
		{"decimals-256", "Decimals256", 18, oddDecimals},
		{"decimals-max", "DecimalsMax", 18, oddDecimals},
		{"decimals-text", "DecimalsText", 18, oddDecimals},
		{"answers-by-caller", "AnswersByCaller", 18, fickle},
		{"writes-on-read", "WritesOnRead", 18, fickle},
		{"reverts", "Reverts", 18, bad},
		{"reverts-200-kilobytes", "Reverts200Kilobytes", 18, bad},
		{"returns-nothing", "ReturnsNothing", 18, bad},
		{"returns-31-bytes", "Returns31Bytes", 18, bad},
		{"gas-loop", "GasLoop", 18, bad},
		{"revert-bomb", "RevertBomb", 18, bad},
		{"invalid-opcode", "InvalidOpcode", 18, bad},
		{"delegates-to-itself", "DelegatesToItself", 18, bad},
		{"no-code", "", 18, bad},
		{proxied, "Token", 6, inner},
		{nativeMover, "NativeMover", 0, inner},
	}
	out := make([]contract, len(list))
	for i, entry := range list {
		code, ok := compiled.Contracts[entry.code]
		if !ok && entry.code != "" {
			return nil, fmt.Errorf("contract %s: no artefact %s", entry.name, entry.code)
		}
		at := contractAddress(entry.name)
		c := contract{
			token:    Token{Name: entry.name, Address: at.Hex(), Decimals: entry.decimals},
			role:     entry.role,
			at:       at,
			code:     code,
			balances: -1,
		}
		if entry.name == "proxy" {
			// The layout is that of the code it runs; Solidity knows of no variable in the proxy.
			c.code.Slots = compiled.Contracts["Token"].Slots
			c.code.Selectors = compiled.Contracts["Token"].Selectors
		}
		if slot, ok := c.code.Slots["balances"]; ok && entry.role != inner {
			c.balances = int(slot)
		}
		out[i] = c
	}
	return out, nil
}

// contractAddress depends on the name alone.
func contractAddress(name string) common.Address {
	return common.BytesToAddress(crypto.Keccak256([]byte("evmdev " + name)))
}
