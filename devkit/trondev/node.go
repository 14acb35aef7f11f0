package trondev

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"sync/atomic"
	"time"
)

// Config describes one chain.
type Config struct {
	// Chain tells this chain from others: the genesis block's id, and with it CHAINID, and all balances come from it. Not 0.
	Chain uint64
	// Wallets is how many wallets start with balances, from number 0 up.
	Wallets int
	// BlockPeriod is the time from one block to the next. 0: blocks are made by Commit only.
	BlockPeriod time.Duration
	// Churn is how many balances each block moves, in rotation over all wallets, TRX, the good tokens and the proxy. 0: none.
	// The head view shows a block's moves before there is the block, and for every four of them one that no block will have.
	Churn int

	// Height is the newest block at the start; 0 means 70,000,000.
	Height int64
	// Time is that block's time in ms since 1970; 0 means now.
	Time int64
	// SolidLag is how many blocks the solid view stands behind the head: 19 on mainnet, 0 on a net with one witness.
	SolidLag int64
	// BlockID overrides the ids of blocks, the genesis block's (height 0) included; nil: an id is the header's hash.
	BlockID func(height int64) [32]byte

	// CPU is how long one constant call may take; 0 means 80 ms, as on mainnet, and below 0 there is no limit. The time is
	// metered: operations are given the time that they take java-tron's machine, so that 1,000 balances of one token just fit
	// and 2,000 never do, on a machine of any speed under any load.
	CPU time.Duration
	// WallClock measures the time in place of metering it, for benches. The machine here is much faster than java-tron's.
	WallClock bool
	// Energy is how much one constant call may use; 0 means 100,000,000.
	Energy uint64
	// MaxIdle ends connections that were idle for so long, with GOAWAY: 60 s in the configuration that java-tron ships. 0: never.
	MaxIdle time.Duration
}

// Defaults of Config.
const (
	DefaultHeight = 70_000_000
	DefaultCPU    = 80 * time.Millisecond
	DefaultEnergy = 100_000_000
)

// The past that a chain has at the start: how many blocks more than the solid view needs, and how far apart in ms.
const (
	past = 100
	slot = 3000
)

// Node is a TRON node that runs in this process, in memory, with a chain of its own. Several can run at once. All methods may
// be called from several goroutines. After Close, Commit and Churn are errors and what the chain was can still be asked.
type Node struct {
	cfg       Config
	contracts []contract
	ledger    *ledger
	machine   machine
	genesis   block
	front     *front
	behind    atomic.Int64 // how many blocks both views lag, as a fault

	// mining is held while blocks are made; it guards closed. The ledger's lock, taken inside it, guards the mover.
	mining sync.Mutex
	mover  *mover
	closed bool

	stop    context.CancelFunc
	running sync.WaitGroup // the block timer
	close   func() error   // stops all parts, once
	stalled error          // why the timer ended early; read after running
}

// Start makes the chain and serves it. The end of ctx does not stop a node that has started; Close does.
func Start(ctx context.Context, cfg Config) (*Node, error) {
	if cfg.Chain == 0 || cfg.Wallets < 0 || cfg.BlockPeriod < 0 || cfg.Churn < 0 || cfg.SolidLag < 0 || cfg.Height < 0 {
		return nil, errors.New("start TRON chain: bad config")
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start TRON chain: %w", err)
	}
	cfg = cfg.withDefaults()
	list, err := contracts()
	if err != nil {
		return nil, err
	}
	n := &Node{cfg: cfg, contracts: list}
	if err := n.found(); err != nil {
		return nil, fmt.Errorf("start TRON chain %d: %w", cfg.Chain, err)
	}
	chainID := new(big.Int).SetBytes(n.genesis.id[28:])
	n.machine = machine{rules: rules(chainID), energy: cfg.Energy, cpu: max(cfg.CPU, 0), wall: cfg.WallClock}
	n.mover = newMover(n.ledger, cfg, list)
	n.mover.plan()
	if n.front, err = openFront(n, cfg.MaxIdle); err != nil {
		return nil, fmt.Errorf("start TRON chain %d: %w", cfg.Chain, err)
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	n.stop = stop
	n.close = sync.OnceValue(n.shutdown)
	if cfg.BlockPeriod > 0 {
		n.running.Go(func() { n.stalled = n.mine(run, cfg.BlockPeriod) })
	}
	return n, nil
}

func (cfg Config) withDefaults() Config {
	if cfg.Height == 0 {
		cfg.Height = DefaultHeight
	}
	if cfg.Time == 0 {
		cfg.Time = time.Now().UnixMilli()
	}
	if cfg.CPU == 0 {
		cfg.CPU = DefaultCPU
	}
	if cfg.Energy == 0 {
		cfg.Energy = DefaultEnergy
	}
	return cfg
}

// found makes the blocks that are there at the start: the genesis, which stands alone, and as many before the head as the
// solid view and what it refers to need. What wallets hold at the start they have held in all of them.
func (n *Node) found() error {
	cfg := n.cfg
	genesis, err := newBlock(0, 1_529_891_469_000+int64(cfg.Chain), [32]byte{}, cfg.BlockID)
	if err != nil {
		return err
	}
	n.genesis = genesis
	first := max(1, cfg.Height-2*cfg.SolidLag-past)
	n.ledger = newLedger(first)
	for height, parent := first, genesis.id; height <= cfg.Height; height++ {
		b, err := newBlock(height, cfg.Time-(cfg.Height-height)*slot, parent, cfg.BlockID)
		if err != nil {
			return err
		}
		n.ledger.blocks = append(n.ledger.blocks, b)
		parent = b.id
	}
	fund(n.ledger, cfg, n.contracts)
	return nil
}

// GenesisID is the id of block 0, 64 hex digits: what the configuration of a TRON chain names.
func (n *Node) GenesisID() string { return fmt.Sprintf("%x", n.genesis.id) }

// Wallet is the address of wallet i in base58; nobody holds a key for it. Wallets from Config.Wallets on exist too and are empty.
func (n *Node) Wallet(i int) string { return text(walletAddress(i)) }

// Close frees the port and stops the timer. Requests under way are cut. Every call returns what the first one did: errors of
// stopping, and the error that ended the block timer early, if one did.
func (n *Node) Close() error { return n.close() }

func (n *Node) shutdown() error {
	n.stop()
	n.running.Wait()
	n.mining.Lock() // a Commit or Churn under way ends first
	n.closed = true
	n.mining.Unlock()
	return errors.Join(n.stalled, n.front.close())
}
