package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/balance-sync/balance-sync/devkit/evmdev"
	"github.com/balance-sync/balance-sync/shared/chain"
)

// node is a chain that this process runs: one whose truth it knows.
type node interface {
	URL() string
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
	id     string
	url    string
	node   node // nil for a real chain
	assets []assetSpec
	// addresses are the wallets, planted are rows that must end in an error.
	addresses []string
	planted   []planted
	start     int64 // the head when the services started
}

// blockPeriod is how often the built-in chains make a block.
const blockPeriod = time.Second

// builtin starts the chains that come with the command: half of the wallets on each. Every block moves 7 % of the
// balances, so that a fifth has moved after three.
func builtin(ctx context.Context, wallets int) ([]*devChain, error) {
	var chains []*devChain
	for i, id := range []uint64{31001, 31002} {
		count := wallets / 2
		if i == 0 {
			count = wallets - wallets/2
		}
		if count == 0 {
			continue
		}
		n, err := evmdev.Start(ctx, evmdev.Config{ChainID: id, Wallets: count, BlockPeriod: blockPeriod, Churn: max(4, count*4*7/100)})
		if err != nil {
			return chains, fmt.Errorf("start chain %d: %w", id, err)
		}
		c := &devChain{name: fmt.Sprintf("evm-%c", 'a'+i), family: chain.EVM, id: fmt.Sprint(id), url: n.URL(), node: n}
		c.assets = append(c.assets, nativeCoin())
		for _, token := range n.Tokens() {
			c.assets = append(c.assets, assetSpec{symbol: token.Name, contract: &token.Address, decimals: &token.Decimals})
		}
		for w := range count {
			c.addresses = append(c.addresses, n.Wallet(w))
		}
		c.planted = plant(n)
		chains = append(chains, c)
	}
	return chains, nil
}

// real describes the chains that were given: their native coin, for the wallets that were given.
func real(chains []realChain) []*devChain {
	var list []*devChain
	for _, rc := range chains {
		list = append(list, &devChain{name: rc.name, family: rc.family, id: rc.id, url: rc.url.Reveal(),
			assets: []assetSpec{nativeCoin()}, addresses: rc.wallets})
	}
	return list
}

func nativeCoin() assetSpec {
	decimals := 18
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
	return fmt.Sprintf("  - name: %s\n    family: %s\n    chain_id: %s\n    finality: latest\n    block_time: 500ms\n    endpoints:\n      - {name: %s-node, url: \"${%s}\"}\n",
		c.name, c.family, c.id, c.name, c.variable())
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
