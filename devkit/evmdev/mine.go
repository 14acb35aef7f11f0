package evmdev

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var errClosed = errors.New("the node is closed")

// Head is the height of the newest block; a fresh chain is at 0.
func (n *Node) Head() int64 { return n.chain.head().Number.Int64() }

// Commit makes one block now, and moves Config.Churn balances in it. It works beside the block
// timer as well. So many balances that geth cannot place them within two seconds of building spill
// over into blocks that follow at once.
func (n *Node) Commit() error { return n.CommitN(1) }

// CommitN is k times Commit.
func (n *Node) CommitN(k int) error {
	for range k {
		if err := n.block(context.Background()); err != nil {
			return fmt.Errorf("commit: %w", err)
		}
	}
	return nil
}

// Churn moves the coin, the good tokens and the proxy of the wallets [from, to), in a block of its
// own that is made at once. When it returns the balances have moved. What it adds is deterministic;
// one token balance in sixteen falls to zero, and a wallet whose number 50 divides never gets coin.
func (n *Node) Churn(ctx context.Context, from, to int) error {
	if from < 0 || to < from || to > n.wallets {
		return fmt.Errorf("churn [%d, %d): there are %d wallets", from, to, n.wallets)
	}
	n.mining.Lock()
	defer n.mining.Unlock()
	if n.closed {
		return errClosed
	}
	stretches := make([]stretch, len(n.mover.assets))
	for asset := range stretches {
		stretches[asset] = stretch{asset, from, to}
	}
	return n.mover.move(ctx, stretches)
}

// Rewind takes the chain back by depth blocks, as a consensus client does that chooses another fork. The blocks made next are that
// fork: other blocks with other balances at the same heights, which Balance then knows of. What Moved counts is not taken back.
func (n *Node) Rewind(depth int) error {
	n.mining.Lock()
	defer n.mining.Unlock()
	if n.closed {
		return errClosed
	}
	if depth < 0 || int64(depth) > n.Head() {
		return fmt.Errorf("rewind %d blocks of %d", depth, n.Head())
	}
	return n.chain.rewind(uint64(n.Head()) - uint64(depth))
}

// block makes one block with the balances whose turn it is.
func (n *Node) block(ctx context.Context) error {
	n.mining.Lock()
	defer n.mining.Unlock()
	if n.closed {
		return errClosed
	}
	return n.mover.move(ctx, n.turns.take(n.churn))
}

// mine makes a block each period until ctx ends. A block that takes longer than the period delays
// the next one.
func (n *Node) mine(ctx context.Context, period time.Duration) error {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := n.block(ctx); err != nil && !errors.Is(err, context.Canceled) {
				return fmt.Errorf("mine: %w", err)
			}
		}
	}
}
