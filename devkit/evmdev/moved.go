package evmdev

import (
	"fmt"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/core/types"
)

// pair is one balance: a number in the mover's assets, and a wallet's number.
type pair struct{ asset, wallet int }

// stretch is the balances of one asset in the wallets [from, to).
type stretch struct{ asset, from, to int }

// tally remembers which balances have changed since the start.
type tally struct {
	mu    sync.Mutex // guards moved
	moved map[pair]struct{}
}

// record compares the states before and after, so that only what truly changed counts as moved.
func (m *mover) record(before, after *types.Header, stretches []stretch) error {
	old, err := m.chain.state(before)
	if err != nil {
		return err
	}
	now, err := m.chain.state(after)
	if err != nil {
		return err
	}
	m.tally.mu.Lock()
	defer m.tally.mu.Unlock()
	for _, s := range stretches {
		read := m.assets[s.asset].read
		for i := s.from; i < s.to; i++ {
			p := pair{s.asset, i}
			if _, known := m.tally.moved[p]; known {
				continue
			}
			holder := walletAddress(i)
			was, err := read(old, holder)
			if err != nil {
				return fmt.Errorf("read block %d: %w", before.Number, err)
			}
			is, err := read(now, holder)
			if err != nil {
				return fmt.Errorf("read block %d: %w", after.Number, err)
			}
			if !was.Eq(is) {
				m.tally.moved[p] = struct{}{}
			}
		}
	}
	return nil
}

// Moved counts the balances that have changed since the start, each once: of the tokens given, by
// address, the empty one being the chain's own coin; of all assets if none is given.
func (n *Node) Moved(tokens ...string) int {
	t := &n.mover.tally
	t.mu.Lock()
	defer t.mu.Unlock()
	count := 0
	for p := range t.moved {
		if len(tokens) == 0 || slices.Contains(tokens, n.mover.assets[p.asset].token) {
			count++
		}
	}
	return count
}
