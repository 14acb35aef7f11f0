package evm

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/balance-sync/balance-sync/devkit/anvildev"
	"github.com/balance-sync/balance-sync/devkit/evmdev"
)

// chainID is the measured chain's.
const chainID = 31999

// served is what the serving process tells of itself, one line of JSON.
type served struct {
	// Links lead to the nodes, each name with each delay.
	Links []servedLink
	// Wallets have a balance of each asset: the coin, Tokens[0] and [1] and the proxy.
	Wallets []string
	Tokens  []servedToken
}

type servedLink struct {
	Node string
	Trip time.Duration
	URL  string
}

type servedToken struct {
	Address  string
	Decimals int
}

// serve runs the nodes until its standard input ends. It tells of them on out.
func serve(ctx context.Context, opt options, out io.Writer) (err error) {
	config := evmdev.Config{ChainID: chainID, Wallets: opt.most() / assetsOfAWallet}
	geth, err := evmdev.Start(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, geth.Close()) }()
	if err := geth.CommitN(blocks); err != nil {
		return err
	}
	nodes := []servedLink{{Node: "geth", URL: geth.URL()}}
	if !opt.gethOnly {
		anvil, err := anvildev.Start(ctx, config)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, anvil.Close()) }()
		if err := anvil.Mine(ctx, blocks); err != nil {
			return err
		}
		nodes = append(nodes, servedLink{Node: "anvil", URL: anvil.URL()})
	}
	s := served{}
	for _, trip := range opt.trips {
		for _, n := range nodes {
			l, err := openLink(n.URL, trip)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, l.close()) }()
			s.Links = append(s.Links, servedLink{n.Node, trip, l.url})
		}
	}
	for w := range config.Wallets {
		s.Wallets = append(s.Wallets, geth.Wallet(w))
	}
	for _, t := range append(geth.Tokens()[:2:2], geth.Token("proxy")) {
		s.Tokens = append(s.Tokens, servedToken{t.Address, t.Decimals})
	}
	if err := json.NewEncoder(out).Encode(s); err != nil {
		return fmt.Errorf("tell what is served: %w", err)
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// blocks are made before anything is read: a probe goes two below the head.
const blocks = 5

// startServer runs this program again as the serving process. stop ends it by closing its standard input, and waits.
func startServer(ctx context.Context, args []string, notes io.Writer) (s served, stop func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return s, nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, append([]string{serveCommand}, args...)...)
	cmd.Stderr = notes
	in, err := cmd.StdinPipe()
	if err != nil {
		return s, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return s, nil, err
	}
	if err := cmd.Start(); err != nil {
		return s, nil, fmt.Errorf("start the nodes: %w", err)
	}
	stop = func() error { return errors.Join(in.Close(), cmd.Wait()) }
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&s); err != nil {
		return s, nil, errors.Join(fmt.Errorf("start the nodes: %w", err), stop())
	}
	return s, stop, nil
}
