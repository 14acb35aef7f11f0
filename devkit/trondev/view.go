package trondev

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/holiman/uint256"
)

// view is a block, and the state as a request sees it: of the block alone, or with the mempool on top.
type view struct {
	ledger  *ledger
	block   block
	ref     block // the newest that was solid by then: what transactions refer to
	mempool bool
}

// look gives a cell's value, and whether the chain knows the cell.
func (v view) look(c cell) (uint256.Int, bool) {
	v.ledger.mu.RLock()
	defer v.ledger.mu.RUnlock()
	if v.mempool {
		if w, ok := v.ledger.mempool[c]; ok {
			return w.value, true
		}
	}
	return v.ledger.at(c, v.block.height)
}

// contract gives a contract's program; an account that is none has no entry.
func (v view) contract(at common.Address) (code, bool) {
	v.ledger.mu.RLock()
	defer v.ledger.mu.RUnlock()
	c, ok := v.ledger.codes[at]
	return c, ok
}

// id gives BLOCKHASH its answer: one of the 256 blocks before this one.
func (v view) id(height uint64) common.Hash {
	v.ledger.mu.RLock()
	defer v.ledger.mu.RUnlock()
	b, ok := v.ledger.block(int64(height))
	if !ok || b.height >= v.block.height || b.height+256 < v.block.height {
		return common.Hash{}
	}
	return b.id
}

// state opens the view for the machine. What the machine writes stays in the StateDB and is gone with it.
func (v view) state() (*state.StateDB, error) {
	return state.NewWithReader(types.EmptyRootHash, nowhere{}, v)
}

// nowhere is the database of a state that is never committed.
type nowhere struct{ state.Database }

func (nowhere) Type() state.DatabaseType { return state.TypeMPT }

// Account is part of go-ethereum's state.Reader.
func (v view) Account(at common.Address) (*types.StateAccount, error) {
	balance, known := v.look(coins(at))
	program, contract := v.contract(at)
	if !known && !contract {
		return nil, nil
	}
	acct := types.NewEmptyStateAccount()
	acct.Balance = &balance
	if len(program.bytes) > 0 {
		acct.CodeHash = program.hash[:]
	}
	return acct, nil
}

// Storage is part of go-ethereum's state.Reader.
func (v view) Storage(at common.Address, slot common.Hash) (common.Hash, error) {
	value, _ := v.look(cell{at: at, slot: slot})
	return value.Bytes32(), nil
}

// Has is part of go-ethereum's state.Reader.
func (v view) Has(at common.Address, _ common.Hash) bool { return v.CodeSize(at, common.Hash{}) > 0 }

// Code is part of go-ethereum's state.Reader.
func (v view) Code(at common.Address, _ common.Hash) []byte {
	program, _ := v.contract(at)
	return program.bytes
}

// CodeSize is part of go-ethereum's state.Reader.
func (v view) CodeSize(at common.Address, _ common.Hash) int { return len(v.Code(at, common.Hash{})) }
