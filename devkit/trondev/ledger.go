package trondev

import (
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"
)

// cell is one number that the chain stores: a word of a contract's storage, or the coins of an account.
type cell struct {
	at    common.Address
	slot  common.Hash
	coins bool
}

// coins is the cell of an account's own balance, in sun.
func coins(at common.Address) cell { return cell{at: at, coins: true} }

// held is the cell of a token's balance: Solidity's place for an entry of a mapping that stands at position 0.
func held(token, wallet common.Address) cell {
	var key [64]byte
	copy(key[12:], wallet[:])
	return cell{at: token, slot: crypto.Keccak256Hash(key[:])}
}

// version is a number from a height on.
type version struct {
	height int64
	value  uint256.Int
}

// ledger has every number at every height since the first block, and the mempool on top. Nothing in it is ever derived from
// what a machine or a decoder says, so that it can be the measure of both.
type ledger struct {
	mu      sync.RWMutex // guards all below
	cells   map[cell][]version
	codes   map[common.Address]code
	mempool map[cell]waiting
	blocks  []block // by height, from first on
	first   int64
}

// code is a contract's program; the hash is what the machine knows it by.
type code struct {
	bytes []byte
	hash  common.Hash
}

// waiting is a value that no block has yet. A doomed one never gets into any.
type waiting struct {
	value  uint256.Int
	doomed bool
}

func newLedger(first int64) *ledger {
	return &ledger{cells: map[cell][]version{}, codes: map[common.Address]code{}, mempool: map[cell]waiting{}, first: first}
}

// at gives the value after a block, and whether the chain knew the cell by then. The caller holds mu.
func (l *ledger) at(c cell, height int64) (uint256.Int, bool) {
	versions := l.cells[c]
	for i := len(versions) - 1; i >= 0; i-- {
		if versions[i].height <= height {
			return versions[i].value, true
		}
	}
	return uint256.Int{}, false
}

// found makes a value true since before the first block. The caller holds mu.
func (l *ledger) found(c cell, value uint256.Int) {
	l.cells[c] = []version{{l.first, value}}
}

// put gives a cell its value from a height on, which is not below those that it has. The caller holds mu.
func (l *ledger) put(c cell, height int64, value uint256.Int) {
	versions := l.cells[c]
	if last := len(versions) - 1; last >= 0 && versions[last].height == height {
		versions[last].value = value
		return
	}
	l.cells[c] = append(versions, version{height, value})
}

// deploy places a contract, for all heights. The caller holds mu.
func (l *ledger) deploy(at common.Address, program []byte) {
	l.codes[at] = code{program, crypto.Keccak256Hash(program)}
}

// head is the newest block. The caller holds mu.
func (l *ledger) head() block { return l.blocks[len(l.blocks)-1] }

// block gives a block by height. The caller holds mu.
func (l *ledger) block(height int64) (block, bool) {
	if height < l.first || height > l.head().height {
		return block{}, false
	}
	return l.blocks[height-l.first], true
}
