package trondev

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

var errClosed = errors.New("the node is closed")

// Head is the height of the newest block.
func (n *Node) Head() int64 {
	n.ledger.mu.RLock()
	defer n.ledger.mu.RUnlock()
	return n.ledger.head().height
}

// Solid is the height of the newest block that cannot be undone: Head less Config.SolidLag.
func (n *Node) Solid() int64 { return max(n.ledger.first, n.Head()-n.cfg.SolidLag) }

// Commit makes one block now, of what waits in the mempool. It works beside the block timer as well.
func (n *Node) Commit() error { return n.CommitN(1) }

// CommitN is k times Commit.
func (n *Node) CommitN(k int) error {
	for range k {
		if err := n.seal(func() {}); err != nil {
			return fmt.Errorf("commit: %w", err)
		}
	}
	return nil
}

// Churn moves TRX, the good tokens and the proxy of the wallets [from, to), in a block that is made at once. When it returns
// the balances have moved in the head view, and in the solid one Config.SolidLag blocks later.
func (n *Node) Churn(ctx context.Context, from, to int) error {
	if from < 0 || to < from || to > n.cfg.Wallets {
		return fmt.Errorf("churn [%d, %d): there are %d wallets", from, to, n.cfg.Wallets)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("churn: %w", err)
	}
	return n.seal(func() {
		for i := from; i < to; i++ {
			for a := range n.mover.assets {
				n.mover.force(pair{a, i})
			}
		}
	})
}

// seal makes one block; before it, prepare may fill the mempool.
func (n *Node) seal(prepare func()) error {
	n.mining.Lock()
	defer n.mining.Unlock()
	if n.closed {
		return errClosed
	}
	l := n.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	prepare()
	head := l.head()
	b, err := nextBlock(head, max(head.time+1, time.Now().UnixMilli()), n.cfg.BlockID)
	if err != nil {
		return err
	}
	for c, w := range l.mempool {
		if w.doomed {
			continue
		}
		if old, _ := l.at(c, head.height); old != w.value {
			n.mover.moved[c] = struct{}{}
		}
		l.put(c, b.height, w.value)
	}
	clear(l.mempool)
	l.blocks = append(l.blocks, b)
	n.mover.plan()
	return nil
}

// mine makes a block each period until ctx ends.
func (n *Node) mine(ctx context.Context, period time.Duration) error {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := n.seal(func() {}); err != nil {
				return fmt.Errorf("mine: %w", err)
			}
		}
	}
}

// Moved counts the balances that have changed since the start, each once: of the tokens given, by address, the empty one being
// TRX; of all assets if none is given. A change that no block has does not count.
func (n *Node) Moved(tokens ...string) int {
	wanted := map[common.Address]bool{}
	coinsToo := len(tokens) == 0
	for _, token := range tokens {
		if token == "" {
			coinsToo = true
		} else if at, err := parse(token); err == nil { // of what is no token nothing has moved
			wanted[at] = true
		}
	}
	n.ledger.mu.RLock()
	defer n.ledger.mu.RUnlock()
	count := 0
	for c := range n.mover.moved {
		if c.coins && coinsToo || !c.coins && (len(tokens) == 0 || wanted[c.at]) {
			count++
		}
	}
	return count
}
