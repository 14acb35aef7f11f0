package trondev

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// Token is a contract that a balance reader may be pointed at.
type Token struct {
	// Name is unique on the chain and the same on every chain.
	Name string
	// Address is base58 with its checksum, the same on every chain.
	Address string
	// Decimals of a token without a true balance mean nothing.
	Decimals int
}

// role says what an honest reader must make of a token.
type role int

const (
	good  role = iota // reads like any TRC-20
	odd               // has a true balance, which takes care to read
	bad               // has no balance at all
	inner             // not to be asked: what the others are made with
)

// contract is one entry of the list of planted contracts.
type contract struct {
	token   Token
	role    role
	at      common.Address
	program []byte // nil: no contract
}

const implementation = "implementation" // the program that the proxy runs

// contracts lists what stands on every chain. Position + 1 is the asset number; 0 is TRX.
func contracts() ([]contract, error) {
	list := []struct {
		name     string
		decimals int
		role     role
		program  []any
	}{
		{"token6", 6, good, token(6)},
		{"token18", 18, good, token(18)},
		{"proxy", 6, odd, proxy(contractAddress(implementation))},
		{"heavy", 18, odd, heavy()},
		{"returns-64-bytes", 18, odd, twoWords()},
		{"reverts", 18, bad, reverts},
		{"returns-nothing", 18, bad, returnsNothing},
		{"returns-31-bytes", 18, bad, returns31Bytes},
		{"energy-loop", 18, bad, energyLoop},
		{"revert-bomb", 18, bad, revertBomb},
		{"invalid-opcode", 18, bad, invalidOpcode},
		{"no-contract", 18, bad, nil},
		{implementation, 6, inner, token(6)},
	}
	out := make([]contract, len(list))
	for i, entry := range list {
		at := contractAddress(entry.name)
		c := contract{token: Token{Name: entry.name, Address: text(at), Decimals: entry.decimals}, role: entry.role, at: at}
		if entry.program != nil {
			var err error
			if c.program, err = assemble(entry.program...); err != nil {
				return nil, fmt.Errorf("contract %s: %w", entry.name, err)
			}
		}
		out[i] = c
	}
	return out, nil
}

// contractAddress depends on the name alone.
func contractAddress(name string) common.Address {
	return common.BytesToAddress(crypto.Keccak256([]byte("trondev " + name)))
}

// Tokens are the good tokens: one of 6 decimals, then one of 18.
func (n *Node) Tokens() []Token { return n.tokens(good) }

// Odd are the tokens that have a true balance, known to Balance, but take care to read: "proxy" (delegatecall; balances in its
// own storage), "heavy" (2,500 hashes) and "returns-64-bytes" (the first word is the balance).
func (n *Node) Odd() []Token { return n.tokens(odd) }

// Bad are the planted contracts that have no balance, for which any value, zero included, is wrong: "reverts",
// "returns-nothing", "returns-31-bytes", "energy-loop", "revert-bomb" (64 KB of revert data), "invalid-opcode" and
// "no-contract" (an address that is none).
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
