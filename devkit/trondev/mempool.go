package trondev

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/holiman/uint256"
)

// Pend puts a balance into the mempool: the head view shows it at once, the oracle and the solid view do not. The next block
// has it, unless Drop comes first. The empty token is TRX.
func (n *Node) Pend(token, wallet string, amount *big.Int) error {
	c, value, err := n.entry(token, wallet, amount)
	if err != nil {
		return fmt.Errorf("pend: %w", err)
	}
	n.ledger.mu.Lock()
	defer n.ledger.mu.Unlock()
	n.ledger.mempool[c] = waiting{value: value}
	return nil
}

// Drop forgets all that waits in the mempool: what the head view has shown was never true. The moves that Config.Churn had
// put there are gone too; those of the block after the next one come with the next block.
func (n *Node) Drop() {
	n.ledger.mu.Lock()
	defer n.ledger.mu.Unlock()
	clear(n.ledger.mempool)
}

// Set loads a fixture: it writes a balance into the past, so that every height has it. Pend and Commit move balances.
func (n *Node) Set(token, wallet string, amount *big.Int) error {
	c, value, err := n.entry(token, wallet, amount)
	if err != nil {
		return fmt.Errorf("set balance: %w", err)
	}
	n.ledger.mu.Lock()
	defer n.ledger.mu.Unlock()
	n.ledger.found(c, value)
	return nil
}

// Deploy loads a fixture: it places a contract, as if it had always been there. Balances of it that Balance, Set and Pend
// speak of are those of a mapping at position 0 of its storage. A program of no bytes is what a contract's row without code is.
func (n *Node) Deploy(address string, program []byte) error {
	at, err := parse(address)
	if err != nil {
		return fmt.Errorf("deploy: %w", err)
	}
	n.ledger.mu.Lock()
	defer n.ledger.mu.Unlock()
	n.ledger.deploy(at, common.CopyBytes(program))
	return nil
}

// Address is the base58 form of an address of 20 bytes.
func Address(at [20]byte) string { return text(at) }

func (n *Node) entry(token, wallet string, amount *big.Int) (cell, uint256.Int, error) {
	c, err := n.cell(token, wallet)
	if err != nil {
		return cell{}, uint256.Int{}, err
	}
	value, overflow := uint256.FromBig(amount)
	if overflow || amount.Sign() < 0 || token == "" && !amount.IsInt64() {
		return cell{}, uint256.Int{}, fmt.Errorf("%s is not an amount", amount)
	}
	return c, *value, nil
}
