package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/spf13/pflag"
)

// options are what the command line and the environment ask for.
type options struct {
	wallets     int
	untilSynced bool
	timeout     time.Duration
	runFor      time.Duration
	chains      []realChain
	keep        bool
	install     bool
	json        bool

	adminAddr string
	database  secret.Text // DATABASE_URL; empty: a private Postgres
	roles     string      // BALSYNC_DEV_ROLES: with DATABASE_URL, make roles with this prefix there and run each service as its own
	passwords passwords
	pgBin     []string // BALSYNC_DEV_PG_BIN: the only places to look for Postgres in, nothing is fetched
	lookup    chain.Lookup
}

// realChain is a chain that this process does not run, with the wallets to read on it.
type realChain struct {
	name    string
	family  chain.Family
	id      string
	url     secret.Text
	wallets []string
}

const usageText = `balsync-dev runs the whole pipeline on this machine and compares every row with its chain.

  balsync-dev                                        three chains, 100 wallets, until interrupted
  balsync-dev --wallets 1000 --until-synced -o json  until every balance is in the table, then one JSON object
  balsync-dev --for 30s                              for half a minute
  balsync-dev --chain bsc,evm,56=https://node.example --wallet bsc:0x…
  balsync-dev --chain tron,tron,<id of block 0>=grpc://node.example:50051 --wallet tron:T…

`

// parse reads the command line. help is not empty when help was asked for.
func parse(args []string, lookup chain.Lookup) (opt options, help string, err error) {
	flags := pflag.NewFlagSet("balsync-dev", pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.IntVar(&opt.wallets, "wallets", 100, "wallets, each with a native coin and 2 tokens on one of the chains")
	flags.BoolVar(&opt.untilSynced, "until-synced", false, "stop when every row has a value not older than the start, and a fifth of the balances have moved")
	flags.DurationVar(&opt.timeout, "timeout", 120*time.Second, "with --until-synced: fail after this long")
	flags.DurationVar(&opt.runFor, "for", 0, "stop after this long")
	chains := flags.StringArray("chain", nil, "read a real chain in place of the built-in ones: name,family,id=url; the id of a tron chain is that of its block 0")
	wallets := flags.StringArray("wallet", nil, "with --chain: a wallet to read, chain:address")
	flags.BoolVar(&opt.keep, "keep", false, "leave the database and the broker's store where they are")
	flags.BoolVar(&opt.install, "install", false, "install Postgres with the machine's package manager if there is none")
	output := flags.StringP("output", "o", "table", "table or json")
	if err := flags.Parse(args); errors.Is(err, pflag.ErrHelp) {
		return opt, usageText + flags.FlagUsages(), nil
	} else if err != nil {
		return opt, "", misuse("%w: `balsync-dev --help` lists the flags", err)
	}
	opt.json, opt.lookup = *output == "json", lookup
	env := service.NewEnv(lookup)
	opt.adminAddr = env.Text("BALSYNC_ADMIN_ADDR", "127.0.0.1:0")
	opt.database, opt.passwords = env.Secret("DATABASE_URL"), newPasswords()
	opt.roles = env.Text("BALSYNC_DEV_ROLES", "")
	if bin := env.Text("BALSYNC_DEV_PG_BIN", ""); bin != "" {
		opt.pgBin = filepath.SplitList(bin)
	}
	if err := env.Err(); err != nil {
		return opt, "", misuse("%w", err)
	}
	if opt.chains, err = parseChains(*chains, *wallets); err != nil {
		return opt, "", misuse("%w", err)
	}
	switch {
	case flags.NArg() > 0:
		err = misuse("%q is not a flag: `balsync-dev --help` lists the flags", flags.Arg(0))
	case *output != "table" && *output != "json":
		err = misuse("--output %q: must be table or json", *output)
	case opt.wallets < 1 || opt.wallets > 200_000:
		err = misuse("--wallets %d: must be from 1 to 200000", opt.wallets)
	case opt.untilSynced && opt.runFor > 0:
		err = misuse("--until-synced and --for: choose one")
	case opt.timeout <= 0 || opt.runFor < 0:
		err = misuse("--timeout and --for must be above 0")
	}
	return opt, "", err
}

func misuse(format string, args ...any) error {
	return fault{service.ExitUsage, fmt.Errorf(format, args...)}
}

// parseChains reads --chain and --wallet.
func parseChains(specs, wallets []string) ([]realChain, error) {
	var chains []realChain
	find := func(name string) *realChain {
		for i := range chains {
			if chains[i].name == name {
				return &chains[i]
			}
		}
		return nil
	}
	for _, spec := range specs {
		what, address, found := strings.Cut(spec, "=")
		parts := strings.Split(what, ",")
		if len(parts) != 3 {
			return nil, errors.New("--chain must be name,family,id=url, such as bsc,evm,56=https://node.example")
		}
		rc := realChain{name: parts[0], family: chain.Family(parts[1]), id: parts[2], url: secret.New(address)}
		if rc.family != chain.EVM && rc.family != chain.TRON {
			return nil, fmt.Errorf("--chain %s: family must be evm or tron", what)
		}
		if !found || address == "" {
			return nil, fmt.Errorf("--chain %s has no endpoint: write it as %s=%s", what, what, endpointLike[rc.family])
		}
		if !isEndpoint(rc.family, address) {
			return nil, fmt.Errorf("--chain %s: the endpoint is not a URL such as %s", what, endpointLike[rc.family])
		}
		if find(rc.name) != nil {
			return nil, fmt.Errorf("--chain %s is given twice", rc.name)
		}
		chains = append(chains, rc)
	}
	for _, wallet := range wallets {
		name, address, _ := strings.Cut(wallet, ":")
		rc := find(name)
		if rc == nil || address == "" {
			return nil, fmt.Errorf("--wallet %s: must be chain:address, with the chain of a --chain", wallet)
		}
		rc.wallets = append(rc.wallets, address)
	}
	for _, rc := range chains {
		if len(rc.wallets) == 0 {
			return nil, fmt.Errorf("--chain %s has no wallet: add --wallet %s:%s", rc.name, rc.name, walletLike[rc.family])
		}
	}
	return chains, nil
}

// endpointLike is what an endpoint of a family looks like.
var endpointLike = map[chain.Family]string{chain.EVM: "https://node.example", chain.TRON: "grpc://node.example:50051"}

// walletLike is how an address of a family begins.
var walletLike = map[chain.Family]string{chain.EVM: "0x…", chain.TRON: "T…"}

// isEndpoint reports whether an address has the form of a family's endpoints. gRPC has no port of its own.
func isEndpoint(family chain.Family, address string) bool {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "":
		return false
	case family == chain.TRON:
		return (u.Scheme == "grpc" || u.Scheme == "grpcs") && u.Hostname() != "" && u.Port() != "" && u.Path == ""
	}
	return u.Scheme == "http" || u.Scheme == "https"
}

// secrets are what must not be printed.
func (o options) secrets() []secret.Text {
	list := []secret.Text{o.database, o.passwords.seed}
	for _, rc := range o.chains {
		list = append(list, rc.url)
	}
	return list
}
