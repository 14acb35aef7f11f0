package evmdev

// Token is a contract that a balance reader may be pointed at.
type Token struct {
	// Name is unique on the chain and the same on every chain.
	Name string
	// Address is 0x and 40 hex digits in checksum case, the same on every chain.
	Address string
	// Decimals of a token without a true balance mean nothing.
	Decimals int
}

// Tokens are the good tokens, OpenZeppelin's ERC-20: one of 18 decimals, then one of 6.
func (n *Node) Tokens() []Token { return n.tokens(good) }

// Odd are the tokens that have a true balance, known to Balance, but take care to read: "proxy"
// (OpenZeppelin's ERC1967Proxy; balances in its own storage), "heavy" (260,000 gas a call),
// "returns-64-bytes" and "returns-100-bytes" (the first word is the balance), "returns-max" (2^256-1 for
// every wallet), "returns-megabyte" (the first word of a megabyte; 2.2 million gas) and "return-bomb"
// (the first word of as much as half of the gas buys). A reader that bounds gas or size may report an
// error for "returns-megabyte", but never another value.
func (n *Node) Odd() []Token { return n.tokens(odd) }

// OddDecimals are the tokens whose balance reads like any other, but whose decimals() does not say what
// Token.Decimals does: "decimals-differ" (8, not 18), "decimals-revert", "decimals-empty" (returns nothing),
// "decimals-256", "decimals-max" (2^256-1) and "decimals-text" (a bytes32 of letters).
func (n *Node) OddDecimals() []Token { return n.tokens(oddDecimals) }

// Fickle are the tokens whose answer depends on how they are asked. Balance knows what they have stored,
// which is what a call without a contract in between is told:
//
//	                     eth_call   Multicall3 (CALL)   scanner (STATICCALL)
//	"answers-by-caller"  stored     1                   1
//	"writes-on-read"     stored     stored              fails with all its gas burnt
//
// A reader may give any of these, for the scanner's failure an error or what it reads otherwise, and
// nothing else.
func (n *Node) Fickle() []Token { return n.tokens(fickle) }

// Bad are the planted contracts that have no balance, for which any value, zero included, is wrong:
// "reverts", "reverts-200-kilobytes", "revert-bomb" (up to 2 MB of revert data), "returns-nothing",
// "returns-31-bytes", "gas-loop", "invalid-opcode", "delegates-to-itself" (a proxy of itself) and
// "no-code" (an address without code).
func (n *Node) Bad() []Token { return n.tokens(bad) }

// Token finds a planted token by name. There is none of another name: the zero Token.
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
