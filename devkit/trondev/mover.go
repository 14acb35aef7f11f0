package trondev

import (
	"encoding/binary"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"
)

// asset is what the churn can move: TRX, the good tokens, the proxy.
type asset struct {
	token    string // as in Balance
	number   int
	decimals int
	contract contract
}

// mover decides what balances move to. Its owner holds the ledger's lock.
type mover struct {
	ledger *ledger
	chain  uint64
	assets []asset
	seed   uint64 // goes up by one a block, so that no two blocks move alike
	turns  rotation
	churn  int
	moved  map[cell]struct{} // which balances have changed since the start
}

func newMover(l *ledger, cfg Config, list []contract) *mover {
	m := &mover{ledger: l, chain: cfg.Chain, churn: cfg.Churn, moved: map[cell]struct{}{}}
	m.assets = append(m.assets, asset{decimals: 6})
	for i, c := range list {
		if c.role == good || c.token.Name == "proxy" {
			m.assets = append(m.assets, asset{c.token.Address, i + 1, c.token.Decimals, c})
		}
	}
	m.turns = rotation{wallets: cfg.Wallets, next: make([]int, len(m.assets))}
	return m
}

// cell is where a pair's balance is stored.
func (m *mover) cell(p pair) cell {
	if p.asset == 0 {
		return coins(walletAddress(p.wallet))
	}
	return held(m.assets[p.asset].contract.at, walletAddress(p.wallet))
}

// plan chooses what the next block moves, and shows it in the mempool, with one lie for every four: a transfer that is
// seen, and never gets into a block.
func (m *mover) plan() {
	m.seed++
	planned := m.turns.take(m.churn)
	for _, p := range planned {
		m.show(p, false)
	}
	for i := range (len(planned) + 3) / 4 {
		ahead := planned[i*4]
		ahead.wallet = (ahead.wallet + m.turns.wallets/2) % m.turns.wallets
		m.show(ahead, true)
	}
}

// show puts a pair's next value into the mempool; what is there stays.
func (m *mover) show(p pair, doomed bool) {
	c := m.cell(p)
	if _, taken := m.ledger.mempool[c]; taken {
		return
	}
	old, known := m.ledger.at(c, m.ledger.head().height)
	if p.asset == 0 && !known {
		return // not activated, and stays so
	}
	m.ledger.mempool[c] = waiting{next(old, m.dice(p), m.assets[p.asset].decimals, p.asset != 0), doomed}
}

// dice is a number that depends on chain, block, asset and wallet alone.
func (m *mover) dice(p pair) uint64 {
	var key [32]byte
	binary.BigEndian.PutUint64(key[0:], m.chain)
	binary.BigEndian.PutUint64(key[8:], m.seed)
	binary.BigEndian.PutUint64(key[16:], uint64(p.asset))
	binary.BigEndian.PutUint64(key[24:], uint64(p.wallet))
	return binary.BigEndian.Uint64(crypto.Keccak256([]byte("trondev churn"), key[:]))
}

// next is another balance than the old one. One token balance in sixteen falls to zero, the rest move by at most one whole
// unit, and no balance wraps around.
func next(old uint256.Int, dice uint64, decimals int, falls bool) uint256.Int {
	if falls && !old.IsZero() && dice&15 == 0 {
		return uint256.Int{}
	}
	unit := new(uint256.Int).Exp(uint256.NewInt(10), uint256.NewInt(uint64(decimals)))
	step := new(uint256.Int).Mod(uint256.NewInt(dice>>8), unit)
	step.AddUint64(step, 1)
	var out uint256.Int
	if _, overflow := out.AddOverflow(&old, step); !overflow && (dice&16 == 0 || old.Lt(step)) {
		return out
	}
	out.Sub(&old, step)
	return out
}

// force puts a pair's next value into the mempool, to get into the next block.
func (m *mover) force(p pair) {
	delete(m.ledger.mempool, m.cell(p))
	m.show(p, false)
}
