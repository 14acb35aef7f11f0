package tron

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/balance-sync/balance-sync/devkit/evmdev"
	"github.com/balance-sync/balance-sync/devkit/trondev"
)

// multicallAt is where Multicall3 stands on the measured chain.
const multicallAt = "TEazPvZwDjDtFeJupyo7QunvnrnUjPH8ED"

// solidLag is mainnet's.
const solidLag = 19

// served is what the serving process tells of itself, one line of JSON.
type served struct {
	// Genesis is the chain's name.
	Genesis string
	// URL leads to the node directly, Links by a line each.
	URL   string
	Links []servedLink
	// Wallets have a balance of TRX and each of Tokens.
	Wallets []string
	Tokens  []servedToken
}

type servedLink struct {
	Trip time.Duration
	URL  string
}

type servedToken struct {
	Address  string
	Decimals int
}

// traffic is what went over a link. Requests are those that the node counted, over whatever link.
type traffic struct{ Requests, Up, Down int64 }

func (t traffic) since(before traffic) traffic {
	return traffic{t.Requests - before.Requests, t.Up - before.Up, t.Down - before.Down}
}

// serve runs the node until in ends. It tells of it on out, and for each line of in of the traffic, link by link.
func serve(ctx context.Context, opt options, in io.Reader, out io.Writer) (err error) {
	node, err := trondev.Start(ctx, trondev.Config{Chain: 7, Wallets: opt.rows, SolidLag: solidLag, WallClock: opt.wallClock})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, node.Close()) }()
	if err := node.Deploy(multicallAt, evmdev.MulticallCode()); err != nil {
		return err
	}
	s := served{Genesis: node.GenesisID(), URL: node.URL()}
	var links []*link
	for _, trip := range opt.trips {
		l, err := openLink(strings.TrimPrefix(node.URL(), "grpc://"), trip)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, l.close()) }()
		links = append(links, l)
		s.Links = append(s.Links, servedLink{trip, l.url()})
	}
	for w := range opt.rows {
		s.Wallets = append(s.Wallets, node.Wallet(w))
	}
	for _, t := range node.Tokens() {
		s.Tokens = append(s.Tokens, servedToken{t.Address, t.Decimals})
	}
	answers := json.NewEncoder(out)
	if err := answers.Encode(s); err != nil {
		return fmt.Errorf("tell what is served: %w", err)
	}
	questions := bufio.NewScanner(in)
	for questions.Scan() {
		var all []traffic
		for _, l := range links {
			all = append(all, traffic{node.Requests(), l.up.Load(), l.down.Load()})
		}
		if err := answers.Encode(all); err != nil {
			return fmt.Errorf("tell the traffic: %w", err)
		}
	}
	return questions.Err()
}

// server is the serving process. One goroutine may use it.
type server struct {
	served
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers *json.Decoder
}

// startServer runs this program again as the serving process.
func startServer(ctx context.Context, args []string, notes io.Writer) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	s := &server{cmd: exec.CommandContext(ctx, self, append([]string{serveCommand}, args...)...)}
	s.cmd.Stderr = notes
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the node: %w", err)
	}
	s.answers = json.NewDecoder(out)
	if err := s.answers.Decode(&s.served); err != nil {
		return nil, errors.Join(fmt.Errorf("start the node: %w", err), s.stop())
	}
	return s, nil
}

// traffic asks for what went over a link so far.
func (s *server) traffic(link int) (traffic, error) {
	if _, err := fmt.Fprintln(s.in); err != nil {
		return traffic{}, fmt.Errorf("ask for the traffic: %w", err)
	}
	var all []traffic
	if err := s.answers.Decode(&all); err != nil {
		return traffic{}, fmt.Errorf("read the traffic: %w", err)
	}
	return all[link], nil
}

// stop ends the process by closing its standard input, and waits.
func (s *server) stop() error { return errors.Join(s.in.Close(), s.cmd.Wait()) }
