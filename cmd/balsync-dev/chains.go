package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/balance-sync/balance-sync/devkit/evmdev"
	"github.com/balance-sync/balance-sync/devkit/trondev"
	"github.com/balance-sync/balance-sync/shared/chain"
)

// node is a chain that this process runs: one whose truth it knows.
type node interface {
	URL() string
	// Head is the newest block that can be read.
	Head() int64
	Requests() int64
	// Balance is the truth after block height; the empty token is the native coin.
	Balance(height int64, token, wallet string) (*big.Int, error)
	// Moved counts the balances of these tokens that have changed, each once.
	Moved(tokens ...string) int
	Close() error
}

// assetSpec is an asset of a chain; planted ones have no true balance.
type assetSpec struct {
	symbol   string
	contract *string
	decimals *int
	native   bool
}

// devChain is one chain of a run.
type devChain struct {
	name   string
	family chain.Family
	id     string // the chain id, or TRON's genesis
	url    string
	node   node // nil for a real chain
	assets []assetSpec
	// newer is how many blocks above its height a value may be of: TRON's nodes give no state at a height.
	newer int64
	// addresses are the wallets, planted are rows that must end in an error.
	addresses []string
	planted   []planted
	start     int64 // the head when the services started
}

// blockPeriod is how often the built-in EVM chains make a block, tronPeriod the TRON one: longer, as a block is in fact, since a
// value must be read before the solid view has moved on by more than tronNewer blocks.
const (
	blockPeriod = time.Second
	tronPeriod  = 2 * time.Second
	tronNewer   = 2
	tronLag     = 1
)

// builtin starts the chains that come with the command: a third of the wallets on each.
func builtin(ctx context.Context, wallets int) ([]*devChain, error) {
	var chains []*devChain
	for i, start := range []func(context.Context, int) (*devChain, error){
		func(ctx context.Context, count int) (*devChain, error) { return evmChain(ctx, "evm-a", 31001, count) },
		func(ctx context.Context, count int) (*devChain, error) { return evmChain(ctx, "evm-b", 31002, count) },
		func(ctx context.Context, count int) (*devChain, error) { return tronChain(ctx, "tron-a", 31003, count) },
	} {
		count := (wallets + 2 - i) / 3
		if count == 0 {
			continue
		}
		c, err := start(ctx, count)
		if err != nil {
			return chains, err
		}
		chains = append(chains, c)
	}
	return chains, nil
}

// evmChain starts a geth. Every block moves 7 % of the balances, so that a fifth has moved after three.
func evmChain(ctx context.Context, name string, id uint64, wallets int) (*devChain, error) {
	n, err := evmdev.Start(ctx, evmdev.Config{ChainID: id, Wallets: wallets, BlockPeriod: blockPeriod, Churn: max(4, wallets*4*7/100)})
	if err != nil {
		return nil, fmt.Errorf("start chain %s: %w", name, err)
	}
	c := &devChain{name: name, family: chain.EVM, id: fmt.Sprint(id), url: n.URL(), node: n, assets: []assetSpec{nativeCoin(chain.EVM)}}
	for _, token := range n.Tokens() {
		c.assets = append(c.assets, assetSpec{symbol: token.Name, contract: &token.Address, decimals: &token.Decimals})
	}
	for w := range wallets {
		c.addresses = append(c.addresses, n.Wallet(w))
	}
	c.planted = plant(n)
	return c, nil
}

// solid is a TRON node whose newest block is the newest solid one: what stands above it may still vanish, and is not read.
type solid struct{ *trondev.Node }

// Head is part of node.
func (s solid) Head() int64 { return s.Solid() }

// tronChain starts a TRON node. Every block moves 14 % of the balances.
func tronChain(ctx context.Context, name string, number uint64, wallets int) (*devChain, error) {
	n, err := trondev.Start(ctx, trondev.Config{Chain: number, Wallets: wallets, BlockPeriod: tronPeriod, Churn: max(4, wallets*4*14/100), SolidLag: tronLag})
	if err != nil {
		return nil, fmt.Errorf("start chain %s: %w", name, err)
	}
	c := &devChain{name: name, family: chain.TRON, id: n.GenesisID(), url: n.URL(), node: solid{n}, newer: tronNewer, assets: []assetSpec{nativeCoin(chain.TRON)}}
	for _, token := range n.Tokens() {
		c.assets = append(c.assets, assetSpec{symbol: token.Name, contract: &token.Address, decimals: &token.Decimals})
	}
	for w := range wallets {
		c.addresses = append(c.addresses, n.Wallet(w))
	}
	c.planted = plantTRON(n)
	return c, nil
}

// real describes the chains that were given: their native coin, for the wallets that were given.
func real(chains []realChain) []*devChain {
	var list []*devChain
	for _, rc := range chains {
		list = append(list, &devChain{name: rc.name, family: rc.family, id: rc.id, url: rc.url.Reveal(),
			assets: []assetSpec{nativeCoin(rc.family)}, addresses: rc.wallets})
	}
	return list
}

// nativeCoin is the chain's own coin: in wei, or in sun.
func nativeCoin(family chain.Family) assetSpec {
	decimals := 18
	if family == chain.TRON {
		decimals = 6
	}
	return assetSpec{symbol: "native", decimals: &decimals, native: true}
}

// tokens are the contracts of the good assets, "" for the native coin: what Moved is asked about.
func (c *devChain) tokens() []string {
	var list []string
	for _, a := range c.assets {
		if a.contract == nil {
			list = append(list, "")
		} else {
			list = append(list, *a.contract)
		}
	}
	return list
}

// entry is the chain's part of chains.yaml. The URL, which may hold a key, stays in the environment.
func (c *devChain) entry() string {
	proof := "chain_id: " + c.id + "\n    finality: latest"
	if c.family == chain.TRON {
		proof = "genesis: " + strconv.Quote(c.id) + "\n    finality: solid"
	}
	return fmt.Sprintf("  - name: %s\n    family: %s\n    %s\n    block_time: 500ms\n    endpoints:\n      - {name: %s-node, url: \"${%s}\"}\n",
		c.name, c.family, proof, c.name, c.variable())
}

// variable is the name under which the chain's URL is looked up.
func (c *devChain) variable() string {
	return "BALSYNC_DEV_URL_" + strings.ToUpper(strings.ReplaceAll(c.name, "-", "_"))
}

func closeAll(chains []*devChain) error {
	var faults []error
	for _, c := range chains {
		if c.node != nil {
			faults = append(faults, c.node.Close())
		}
	}
	return errors.Join(faults...)
}
