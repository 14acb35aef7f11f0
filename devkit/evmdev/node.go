package evmdev

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Config describes one chain.
type Config struct {
	// ChainID is the chain's own; not 0. Balances differ from one id to another.
	ChainID uint64
	// Wallets is how many wallets start with balances, from number 0 up.
	Wallets int
	// BlockPeriod is the time from one block to the next. 0: blocks are made by Commit only.
	// Block times are whole seconds and go up, so below one second they run ahead of the clock.
	BlockPeriod time.Duration
	// Churn is how many balances each block moves, in rotation over all wallets, the chain's own
	// coin, the good tokens and the proxy. 0: none.
	Churn int
}

// Node is a geth that runs in this process, in memory, with a chain of its own. Several can run at
// once. All methods may be called from several goroutines. After Close no method but Close, Wallet
// and those that list tokens may be relied on; Commit and Churn are errors.
type Node struct {
	contracts []contract
	churn     int
	wallets   int
	chain     *chain
	front     *front

	// mining is held while blocks are made; it guards mover (all but its tally), turns and closed.
	mining sync.Mutex
	mover  *mover
	turns  rotation
	closed bool

	stop    context.CancelFunc
	running sync.WaitGroup // the block timer
	close   func() error   // stops all parts, once
	stalled error          // why the timer ended early; read after running
}

// Start makes the chain and serves it. The end of ctx does not stop a node that has started; Close
// does.
func Start(ctx context.Context, cfg Config) (*Node, error) {
	first, list, key, err := blueprint(cfg)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start chain %d: %w", cfg.ChainID, err)
	}
	c, err := openChain(first)
	if err != nil {
		return nil, fmt.Errorf("start chain %d: %w", cfg.ChainID, err)
	}
	handler, err := c.stack.RPCHandler()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start chain %d: %w", cfg.ChainID, err), c.close())
	}
	f, err := openFront(handler)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start chain %d: %w", cfg.ChainID, err), c.close())
	}

	n := &Node{contracts: list, churn: cfg.Churn, wallets: cfg.Wallets, chain: c, front: f}
	n.mover = newMover(c, cfg, key, list)
	n.turns = rotation{wallets: cfg.Wallets, next: make([]int, len(n.mover.assets))}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	n.stop = stop
	n.close = sync.OnceValue(n.shutdown)
	if cfg.BlockPeriod > 0 {
		n.running.Go(func() { n.stalled = n.mine(run, cfg.BlockPeriod) })
	}
	return n, nil
}

// Wallet is the address of wallet i, 0x and 40 hex digits in checksum case: the last 20 bytes of
// keccak256(abi.encode(uint256(i))). Wallets from Config.Wallets on exist too and are empty.
func (n *Node) Wallet(i int) string { return walletAddress(i).Hex() }

// Close frees the port, then stops the chain, whose states are gone with it. Requests under way
// are cut. Every call returns what the first one did: errors of stopping, and the error that ended
// the block timer early, if one did.
func (n *Node) Close() error { return n.close() }

func (n *Node) shutdown() error {
	n.stop()
	n.running.Wait()
	n.mining.Lock() // a Commit or Churn under way ends first
	defer n.mining.Unlock()
	n.closed = true
	return errors.Join(n.stalled, n.front.close(), n.chain.close())
}
