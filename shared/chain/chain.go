// Package chain is what every service knows of the chains: the entries of chains.yaml.
//
// One file serves all services. Claimer and writer read it without any node's key: only a fetcher expands the
// endpoints, so only a fetcher needs the environment variables that they name.
package chain

import (
	"time"

	"github.com/balance-sync/balance-sync/shared/secret"
)

// Family is a kind of chain: all chains of a family are read by the same fetcher.
type Family string

// The families.
const (
	EVM  Family = "evm"
	TRON Family = "tron"
)

// Defaults of an entry's optional values.
const (
	DefaultHeightSlack = 50
	DefaultFinality    = "latest-1"
	DefaultTRON        = "solid"
	// DefaultMulticall is where Multicall3 stands on most EVM chains.
	DefaultMulticall = "0xcA11bde05977b3631167028862bE2a173976CA11"
)

// ArbSys is the Height of chains whose NUMBER opcode gives another chain's height, as Arbitrum's gives Ethereum's: there the
// precompile ArbSys, at 0x64, tells the chain's own.
const ArbSys = "arbsys"

// Config is one chain.
type Config struct {
	// Name is the slug, ^[a-z0-9_-]{1,32}$: a token of NATS subjects, a metric label, and unless DatabaseName or
	// DatabaseID say otherwise the chain's name in the database in lower case.
	Name   string
	Family Family
	// ChainID is the EIP-155 id; an endpoint that answers another is not used. 0 for TRON.
	ChainID uint64
	// Genesis is the id of TRON's block 0, 64 hex digits; "" for EVM.
	Genesis string
	// Finality says which block is read.
	Finality Finality
	// BlockTime is the fastest that the chain can produce a block. With HeightSlack it bounds how fast heights may grow.
	BlockTime time.Duration
	// HeightSlack is how many blocks a height may stand above its bound.
	HeightSlack int64
	// DatabaseName or DatabaseID find the chain in balance_sync_chains when its name there is not Name.
	DatabaseName string
	DatabaseID   string
	// Height is what tells a contract the chain's height: [ArbSys], or "" for the NUMBER opcode. EVM only.
	Height string
	// Multicall is the address of Multicall3, 0x and 40 hex digits. Whether it stands there is for the fetcher to find out. "" for TRON.
	Multicall string
	// Endpoints are empty unless they were expanded.
	Endpoints []Endpoint
}

// Endpoint is one node, or one provider's address of many.
type Endpoint struct {
	// Name is the alias that logs, metrics and messages use in place of the URL.
	Name string
	URL  secret.Text
	// RPS is the budget in requests a second; 0 means unlimited.
	RPS float64
	// Headers are sent with every request, such as an API key.
	Headers map[string]secret.Text
}

// Key is how the chain is looked up in the database: by id when one is given, else by name in lower case.
func (c Config) Key() (id, name string) {
	if c.DatabaseID != "" {
		return c.DatabaseID, ""
	}
	if c.DatabaseName != "" {
		return "", c.DatabaseName
	}
	return "", c.Name
}

// Secrets lists what a scrubber must know of these chains: URLs and header values.
func Secrets(chains []Config) []secret.Text {
	var all []secret.Text
	for _, c := range chains {
		for _, e := range c.Endpoints {
			all = append(all, e.URL)
			for _, value := range e.Headers {
				all = append(all, value)
			}
		}
	}
	return all
}

// Of gives the chains of one family.
func Of(chains []Config, family Family) []Config {
	var some []Config
	for _, c := range chains {
		if c.Family == family {
			some = append(some, c)
		}
	}
	return some
}
