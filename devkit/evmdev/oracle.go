package evmdev

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/holiman/uint256"
)

// Balance is the truth that a reader is measured against: what wallet held after block height, in
// wei or in the token's smallest unit. The empty token is the chain's own coin. It reads the state
// trie at the block's root; no EVM, no RPC and no decoder takes part.
//
// Unknown heights, malformed addresses and contracts without a true balance are errors. It may be
// called from several goroutines, not after Close.
func (n *Node) Balance(height int64, token, wallet string) (*big.Int, error) {
	holder, err := parseAddress(wallet)
	if err != nil {
		return nil, fmt.Errorf("oracle: wallet: %w", err)
	}
	read, err := n.reader(token)
	if err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	header := n.chain.eth.BlockChain().GetHeaderByNumber(uint64(height))
	if height < 0 || header == nil {
		return nil, fmt.Errorf("oracle: no block %d", height)
	}
	st, err := n.chain.state(header)
	if err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	held, err := read(st, holder)
	if err != nil {
		return nil, fmt.Errorf("oracle: block %d: %w", height, err)
	}
	return held.ToBig(), nil
}

// BalanceSlot is the storage position of the wallet's balance of a token that has true balances, 0x and 64 hex digits.
func (n *Node) BalanceSlot(token, wallet string) (string, error) {
	holder, err := parseAddress(wallet)
	if err != nil {
		return "", fmt.Errorf("balance slot: wallet: %w", err)
	}
	for _, c := range n.contracts {
		if c.token.Address == token && c.balances >= 0 {
			return balanceSlot(holder, c.balances).Hex(), nil
		}
	}
	return "", fmt.Errorf("balance slot: token %s has no true balance", token)
}

// reader is how an asset's balance is taken from a state.
type reader func(st *state.StateDB, holder common.Address) (*uint256.Int, error)

func (n *Node) reader(token string) (reader, error) {
	if token == "" {
		return readNative, nil
	}
	at, err := parseAddress(token)
	if err != nil {
		return nil, fmt.Errorf("token: %w", err)
	}
	for _, c := range n.contracts {
		if c.at == at && c.balances >= 0 {
			return c.read, nil
		}
	}
	return nil, fmt.Errorf("token %s has no true balance", token)
}

// A StateDB answers zero when its database fails and keeps the error, so each read asks for it.

func readNative(st *state.StateDB, holder common.Address) (*uint256.Int, error) {
	held := st.GetBalance(holder)
	return held, st.Error()
}

func (c contract) read(st *state.StateDB, holder common.Address) (*uint256.Int, error) {
	word := st.GetState(c.at, balanceSlot(holder, c.balances))
	return new(uint256.Int).SetBytes32(word[:]), st.Error()
}

func parseAddress(text string) (common.Address, error) {
	if !common.IsHexAddress(text) {
		return common.Address{}, fmt.Errorf("%q is not an address", text)
	}
	return common.HexToAddress(text), nil
}
