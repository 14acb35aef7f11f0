package evmdev

import (
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
)

// chain is geth without a network and without a disk: the node, and the stand-in for its consensus
// client that makes the blocks.
type chain struct {
	stack  *node.Node
	eth    *eth.Ethereum
	beacon *catalyst.SimulatedBeacon
	codes  *state.CodeDB
}

// openChain starts geth on its genesis block. The block is written on every start, in memory.
func openChain(first *core.Genesis) (*chain, error) {
	shell := node.DefaultConfig // has the limits of the RPC server: batch items, batch bytes, body
	shell.DataDir = ""
	shell.P2P = p2p.Config{NoDiscovery: true, NoDial: true}

	conf := ethconfig.Defaults // has the limits of a call: 50M gas, 5 seconds
	conf.Genesis = first
	conf.SyncMode = ethconfig.FullSync
	conf.Miner.GasCeil = first.GasLimit
	conf.TxPool.NoLocals = true
	conf.LogNoHistory = true
	// Every state is written in full when its block is, so that any height can be checked later.
	// The default path scheme would keep the last 128 only.
	conf.NoPruning = true
	conf.StateScheme = rawdb.HashScheme
	// The database is memory already; caches in front of it would hold everything twice. Without
	// snapshots there is one copy of a balance, in the trie.
	conf.TrieCleanCache, conf.TrieDirtyCache, conf.SnapshotCache = 0, 0, 0

	stack, err := node.New(&shell)
	if err != nil {
		return nil, fmt.Errorf("make node: %w", err)
	}
	backend, err := eth.New(stack, &conf)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make chain: %w", err), stack.Close())
	}
	if err := stack.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start node: %w", err), stack.Close())
	}
	beacon, err := catalyst.NewSimulatedBeacon(0, common.Address{}, backend)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make beacon: %w", err), stack.Close())
	}
	return &chain{stack: stack, eth: backend, beacon: beacon, codes: state.NewCodeDB(backend.ChainDb())}, nil
}

// close stops geth. The beacon has nothing to stop: without a period it runs no loop.
func (c *chain) close() error {
	if err := c.stack.Close(); err != nil {
		return fmt.Errorf("close node: %w", err)
	}
	return nil
}

func (c *chain) head() *types.Header { return c.eth.BlockChain().CurrentBlock() }

// seal makes one block of the transactions that wait in the pool. One call at a time: the beacon has
// no lock of its own.
func (c *chain) seal() error {
	// Commit reports nothing but logs, to a logger that discards: the height tells.
	before := c.head().Number.Uint64()
	c.beacon.Commit()
	if after := c.head().Number.Uint64(); after != before+1 {
		return fmt.Errorf("seal block %d: head is at %d", before+1, after)
	}
	return nil
}

// rewind makes the block at a height the head, and sees to it that nothing of the blocks above goes into the next ones.
func (c *chain) rewind(height uint64) error {
	to := c.eth.BlockChain().GetHeaderByNumber(height)
	if err := c.beacon.Fork(to.Hash()); err != nil {
		return fmt.Errorf("rewind to block %d: %w", height, err)
	}
	if err := c.eth.TxPool().Sync(); err != nil { // it takes the transactions of the dropped blocks back
		return fmt.Errorf("rewind to block %d: %w", height, err)
	}
	c.eth.TxPool().Clear()
	if now := c.head().Number.Uint64(); now != height {
		return fmt.Errorf("rewind to block %d: head is at %d", height, now)
	}
	return nil
}

// state opens the state after a block by its root in the trie, whatever the block's age.
func (c *chain) state(header *types.Header) (*state.StateDB, error) {
	db := state.NewMPTDatabase(c.eth.BlockChain().TrieDB(), c.codes)
	st, err := state.New(header.Root, db)
	if err != nil {
		return nil, fmt.Errorf("open state of block %d: %w", header.Number, err)
	}
	return st, nil
}
