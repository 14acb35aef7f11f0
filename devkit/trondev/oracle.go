package trondev

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
)

// Balance is the truth that a reader is measured against: what wallet held after block height, in sun or in the token's
// smallest unit. The empty token is TRX. It reads the ledger; no machine, no RPC and no decoder takes part, and nothing that
// was never in a block is ever told.
//
// Unknown heights, malformed addresses and contracts without a true balance are errors. It may be called from several
// goroutines.
func (n *Node) Balance(height int64, token, wallet string) (*big.Int, error) {
	c, err := n.cell(token, wallet)
	if err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	n.ledger.mu.RLock()
	defer n.ledger.mu.RUnlock()
	if _, ok := n.ledger.block(height); !ok {
		return nil, fmt.Errorf("oracle: no block %d", height)
	}
	value, _ := n.ledger.at(c, height)
	return value.ToBig(), nil
}

// cell finds where a balance is stored.
func (n *Node) cell(token, wallet string) (cell, error) {
	holder, err := parse(wallet)
	if err != nil {
		return cell{}, fmt.Errorf("wallet: %w", err)
	}
	if token == "" {
		return coins(holder), nil
	}
	at, err := parse(token)
	if err != nil {
		return cell{}, fmt.Errorf("token: %w", err)
	}
	if !n.honest(at) {
		return cell{}, fmt.Errorf("token %s has no true balance", token)
	}
	return held(at, holder), nil
}

// honest reports whether a contract has true balances: the good and odd ones, and those that a test deployed.
func (n *Node) honest(at common.Address) bool {
	for _, c := range n.contracts {
		if c.at == at {
			return c.role == good || c.role == odd
		}
	}
	n.ledger.mu.RLock()
	defer n.ledger.mu.RUnlock()
	_, deployed := n.ledger.codes[at]
	return deployed
}
