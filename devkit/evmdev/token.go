package evmdev

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// Token is a contract that a balance reader may be pointed at.
type Token struct {
	// Name is unique on the chain and the same on every chain.
	Name string
	// Address is 0x and 40 hex digits in checksum case, the same on every chain.
	Address string
	// Decimals of a token without a true balance mean nothing.
	Decimals int
}

// role says what an honest reader must make of a token.
type role int

const (
	good  role = iota // reads like any ERC-20
	odd               // has a true balance, which takes care to read
	bad               // has no balance at all
	inner             // not to be asked: what the others are made with
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
		{"reverts", "Reverts", 18, bad},
		{"returns-nothing", "ReturnsNothing", 18, bad},
		{"returns-31-bytes", "Returns31Bytes", 18, bad},
		{"gas-loop", "GasLoop", 18, bad},
		{"revert-bomb", "RevertBomb", 18, bad},
		{"invalid-opcode", "InvalidOpcode", 18, bad},
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

// Tokens are the good tokens: one of 18 decimals, then one of 6.
func (n *Node) Tokens() []Token { return n.tokens(good) }

// Odd are the tokens that have a true balance, known to Balance, but take care to read: "proxy"
// (delegatecall; balances in its own storage), "heavy" (260,000 gas a call), "returns-64-bytes"
// (the first word is the balance) and "returns-megabyte" (likewise; 2.2 million gas). A reader that
// bounds gas or size may report an error for the last one, but never another value.
func (n *Node) Odd() []Token { return n.tokens(odd) }

// Bad are the planted contracts that have no balance, for which any value, zero included, is wrong:
// "reverts", "returns-nothing", "returns-31-bytes", "gas-loop", "revert-bomb" (up to 2 MB of
// revert data), "invalid-opcode" and "no-code" (an address without code).
func (n *Node) Bad() []Token { return n.tokens(bad) }

// Token finds a good, odd or bad token by name. There is none of another name: the zero Token.
func (n *Node) Token(name string) Token {
	for _, c := range n.contracts {
		if c.token.Name == name && c.role != inner {
			return c.token
		}
	}
	return Token{}
}

func (n *Node) tokens(r role) []Token {
	var out []Token
	for _, c := range n.contracts {
		if c.role == r {
			out = append(out, c.token)
		}
	}
	return out
}
