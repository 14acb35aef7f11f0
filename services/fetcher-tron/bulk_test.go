package fetchertron

import (
	"context"
	"encoding/hex"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/trondev"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// multicallAt is where tests put Multicall3, whose code is that of the EVM chains.
const multicallAt = "TEazPvZwDjDtFeJupyo7QunvnrnUjPH8ED"

// start is [standin] with other settings, and with a Multicall3.
func start(t *testing.T, config trondev.Config) *trondev.Node {
	t.Helper()
	config.Chain, config.SolidLag = 7, 19
	node, err := trondev.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	})
	text, err := os.ReadFile("testdata/multicall3.hex")
	if err != nil {
		t.Fatal(err)
	}
	program, err := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(string(text)), "0x"))
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Deploy(multicallAt, program); err != nil {
		t.Fatal(err)
	}
	return node
}

// only leaves a reader's endpoints one rung.
func only(r *reader, at rung) {
	var works perRung[bool]
	works[at] = true
	for _, n := range r.fleet.nodes {
		n.ladder.found(works)
	}
}

// nodeOf gives the first endpoint's node.
func nodeOf(r *reader) *node { return r.fleet.nodes[r.fleet.pool.Endpoints()[0]] }

// tokenRows are one token's balances of n wallets.
func tokenRows(node *trondev.Node, address string, n int) []fetch.Row {
	of := token(address)
	of.Native = address == ""
	for _, t := range append(node.Tokens(), node.Odd()...) {
		if t.Address == address {
			of.Decimals = t.Decimals
		}
	}
	var rows []fetch.Row
	for w := range n {
		rows = append(rows, rowOf(of, node.Wallet(w)))
	}
	return rows
}

func TestEveryRungGivesTheValuesOfTheLedger(t *testing.T) {
	node := start(t, trondev.Config{Wallets: 60, Churn: 50})
	if err := node.CommitN(25); err != nil {
		t.Fatal(err)
	}
	c := chainAt(node, node.URL())
	c.Multicall = multicallAt
	r := readerOf(t, exact(), c)
	rows := append(standinRows(node, 0, 25), standinRows(node, 60, 1)...)
	singles := r
	only(singles, single)
	alone := singles.Read(t.Context(), rows, 0)
	for _, at := range []rung{scanRevert, scanReturn, multicall, single} {
		only(r, at)
		outcomes := r.Read(t.Context(), rows, 0)
		mustBeInLedger(t, node, rows, outcomes, 0)
		for i, o := range outcomes {
			if o.Raw != alone[i].Raw || o.Proof.Route != at.String() || o.Proof.Height != node.Solid() || o.Proof.Finality != "solid" || o.Proof.Endpoint != "node-0" || o.Proof.Agree != 1 {
				t.Fatalf("%s, row %d: %s and %s, %+v", at, i, o.Raw, alone[i].Raw, o.Proof)
			}
		}
	}
}

func TestTheProbeFindsTheBestRung(t *testing.T) {
	node := start(t, trondev.Config{Wallets: 30})
	isScan := func(in any) bool {
		q, ok := in.(*core.TriggerSmartContract)
		return ok && len(q.ContractAddress) == 0
	}
	old := func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, method grpc.UnaryHandler) (any, error) {
		if isScan(in) {
			return fails(api.Return_CONTRACT_VALIDATE_ERROR, "Contract validate error : Smart contract is not exist."), nil
		}
		return method(ctx, in)
	}
	drops := func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, method grpc.UnaryHandler) (any, error) {
		out, err := method(ctx, in)
		if reply, ok := out.(*api.TransactionExtention); ok && isScan(in) && reverts(reply) {
			reply.ConstantResult = [][]byte{nil}
		}
		return out, err
	}
	chokes := func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, method grpc.UnaryHandler) (any, error) {
		if isScan(in) {
			return nil, status.Error(codes.Internal, "stream terminated by RST_STREAM with error code: INTERNAL_ERROR")
		}
		return method(ctx, in)
	}
	for _, tt := range []struct {
		name      string
		fault     grpc.UnaryServerInterceptor
		multicall string
		want      rung
	}{
		{"a node of today", nil, multicallAt, scanRevert},
		{"a gateway that drops what a revert gives", drops, "", scanReturn},
		{"a node that cannot call constructors", old, multicallAt, multicall},
		{"a gateway that chokes on constructors", chokes, multicallAt, multicall},
		{"one without a Multicall3", old, node.Tokens()[0].Address, single},
		{"one without any", old, "", single},
	} {
		node.Intercept(tt.fault)
		c := chainAt(node, node.URL())
		c.Multicall = tt.multicall
		r := readerOf(t, exact(), c)
		if got := nodeOf(r).showRung(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		rows := standinRows(node, 0, 5)
		outcomes := r.Read(t.Context(), rows, 0)
		mustBeInLedger(t, node, rows, outcomes, 0)
		if outcomes[0].Proof.Route != tt.want.String() {
			t.Errorf("%s: read by %s", tt.name, outcomes[0].Proof.Route)
		}
	}
}

// An operator may have switched accounts off; the scanner reads the coin without them.
func TestANodeWithoutAccountsServesTheCoinByScan(t *testing.T) {
	node := start(t, trondev.Config{Wallets: 60})
	node.Intercept(trondev.On(trondev.Closed(), "GetAccount"))
	r := readerOf(t, exact(), chainAt(node, node.URL()))
	rows := standinRows(node, 0, 5)
	mustBeInLedger(t, node, rows, r.Read(t.Context(), rows, 0), 0)
	only(r, single)
	outcomes := r.Read(t.Context(), rows, 0)
	noValue(t, outcomes[:5])
	mustBeInLedger(t, node, rows[5:], outcomes[5:], 0)
}

func TestAThousandTokensCostFiveRequests(t *testing.T) {
	node := start(t, trondev.Config{Wallets: 500})
	r := readerOf(t, exact(), chainAt(node, node.URL()))
	tokens := append(tokenRows(node, node.Tokens()[0].Address, 500), tokenRows(node, node.Tokens()[1].Address, 500)...)
	coins := append(tokenRows(node, "", 500), tokenRows(node, "", 500)...)
	mixed := append(append(tokenRows(node, "", 334), tokenRows(node, node.Tokens()[0].Address, 333)...), tokenRows(node, node.Tokens()[1].Address, 333)...)
	for _, tt := range []struct {
		name string
		rows []fetch.Row
		want int64
	}{{"tokens for the first time", tokens, 5 + 5}, {"tokens", tokens, 5}, {"coins", coins, 1}, {"mixed", mixed, 4}} { // the first time: their decimals, with proof
		before := node.Requests()
		outcomes := r.Read(t.Context(), tt.rows, 0)
		if cost := node.Requests() - before; cost != tt.want {
			t.Errorf("%s: %d requests for %d rows, want %d", tt.name, cost, len(tt.rows), tt.want)
		}
		mustBeInLedger(t, node, tt.rows, outcomes, 0)
	}
}

func TestRequestsShrinkToWhatTheNodeHasTimeFor(t *testing.T) {
	node := start(t, trondev.Config{Wallets: 400, CPU: 4 * time.Millisecond})
	r := readerOf(t, exact(), chainAt(node, node.URL()))
	rows := tokenRows(node, node.Tokens()[0].Address, 400)
	mustBeInLedger(t, node, rows, r.Read(t.Context(), rows, 0), 0)
	size := nodeOf(r).ladder.sizes[scanRevert]
	if size.now() >= 1000 {
		t.Fatalf("nothing was learnt: %d", size.now())
	}
	before := node.Requests()
	mustBeInLedger(t, node, rows, r.Read(t.Context(), rows, 0), 0)
	if cost, most := node.Requests()-before, int64(400*tokenWeight/size.now()+2); cost > most {
		t.Errorf("the second read cost %d requests, %d are enough for requests of %d", cost, most, size.now())
	}
}

func TestAScanThatRunsOutOfEnergyGoesOnWithTheRest(t *testing.T) {
	node := start(t, trondev.Config{Wallets: 200, Energy: 3_000_000})
	for _, at := range []rung{scanRevert, scanReturn} {
		r := readerOf(t, exact(), chainAt(node, node.URL()))
		only(r, at)
		rows := tokenRows(node, node.Tokens()[0].Address, 200)
		outcomes := r.Read(t.Context(), rows, 0)
		mustBeInLedger(t, node, rows, outcomes, 0)
	}
}

// A token that burns all it is given costs its neighbours nothing but its share of the request.
func TestATokenThatBurnsItsEnergyDoesNotCostItsNeighboursTheScan(t *testing.T) {
	node := start(t, trondev.Config{Wallets: 60})
	r := readerOf(t, exact(), chainAt(node, node.URL()))
	rows := append(standinRows(node, 0, 20), rowOf(token(node.Token("energy-loop").Address), node.Wallet(1)))
	for range 2 {
		outcomes := r.Read(t.Context(), rows, 0)
		mustBeInLedger(t, node, rows[:len(rows)-1], outcomes[:len(rows)-1], 0)
		noValue(t, outcomes[len(rows)-1:])
		for i, o := range outcomes[:len(rows)-1] {
			if o.Proof.Route != "scanner-revert" {
				t.Fatalf("row %d by %s", i, o.Proof.Route)
			}
		}
	}
	before := node.Requests()
	if o := r.Read(t.Context(), rows[len(rows)-1:], 0)[0]; o.Err == nil || o.Err.Class != wire.ClassRow || o.Err.Code != wire.CodeGasExceeded {
		t.Errorf("%+v", o.Err)
	}
	if cost := node.Requests() - before; cost > 3 { // block, block 0, block: the token itself is not asked
		t.Errorf("%d requests for a token in quarantine", cost)
	}
}

// One token that takes all the node's time is found by halving, and then kept out of the requests of others.
func TestATokenThatTakesTheNodesTimeIsFoundAndKeptApart(t *testing.T) {
	node := start(t, trondev.Config{Wallets: 60})
	bomb := tokenRows(node, node.Token("proxy").Address, 1)[0]
	contract, err := parseAddress(bomb.Asset.Contract)
	if err != nil {
		t.Fatal(err)
	}
	var timeouts atomic.Int64
	node.Intercept(func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, method grpc.UnaryHandler) (any, error) {
		if q, ok := in.(*core.TriggerSmartContract); ok && strings.Contains(string(q.Data)+string(q.ContractAddress), string(contract.word())) {
			timeouts.Add(1)
			return fails(api.Return_CONTRACT_EXE_ERROR, "class org.tron.core.vm.program.Program$OutOfTimeException : CPU timeout for 'CALL' operation executing"), nil
		}
		return method(ctx, in)
	})
	r := readerOf(t, exact(), chainAt(node, node.URL()))
	good := append(tokenRows(node, node.Tokens()[0].Address, 60), tokenRows(node, node.Tokens()[1].Address, 60)...)
	rows := append(append([]fetch.Row{}, good...), bomb)
	for try := range 3 {
		outcomes := r.Read(t.Context(), rows, 0)
		mustBeInLedger(t, node, good, outcomes[:len(good)], 0)
		noValue(t, outcomes[len(good):])
		if class := outcomes[len(good)].Err.Class; (try == 0) != (class == wire.ClassEndpoint) {
			t.Errorf("read %d: %+v", try, outcomes[len(good)].Err)
		}
	}
	if size := nodeOf(r).ladder.sizes[scanRevert].now(); size != 1000 {
		t.Errorf("the size of requests fell to %d for one token", size)
	}
	if timeouts.Load() > 12 { // halves until it is alone, twice alone in each of two readings, none in quarantine
		t.Errorf("%d calls were lost", timeouts.Load())
	}
}

func TestAMulticallOfAnotherChainIsNoAnswer(t *testing.T) {
	node := start(t, trondev.Config{Wallets: 60})
	c := chainAt(node, node.URL())
	c.Multicall = multicallAt
	rows := standinRows(node, 0, 3)
	// After the array's offsets each row has 128 bytes: success, the offset and the length of its data, and the data.
	for name, tt := range map[string]struct {
		row  int
		byte int
		want string
	}{"chain id": {0, 31, wire.CodeWrongChain}, "height": {1, 25, wire.CodeHeightRefused}} {
		node.Intercept(nil)
		r := readerOf(t, exact(), c)
		only(r, multicall)
		node.Intercept(func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, method grpc.UnaryHandler) (any, error) {
			out, err := method(ctx, in)
			if q, ok := in.(*core.TriggerSmartContract); ok && string(q.ContractAddress) == string(r.fleet.multicall.wire()) {
				output := out.(*api.TransactionExtention).ConstantResult[0]
				output[64+32*(attesting+len(rows))+tt.row*128+96+tt.byte]++
			}
			return out, err
		})
		outcomes := r.Read(t.Context(), rows, 0)
		noValue(t, outcomes)
		if outcomes[0].Err.Code != tt.want {
			t.Errorf("%s: %+v", name, outcomes[0].Err)
		}
	}
}

func TestARungThatGivesOtherValuesIsNotUsed(t *testing.T) {
	node := start(t, trondev.Config{Wallets: 60})
	rewriteScans(node, func(output []byte) []byte { output[64+int(output[64])] ^= 1; return output }) // the last digit of the first row
	r := readerOf(t, exact(), chainAt(node, node.URL()))
	rows := standinRows(node, 1, 3) // the first of which has something
	outcomes := r.Read(t.Context(), rows, 0)
	mustBeInLedger(t, node, rows, outcomes, 0)
	if got := outcomes[0].Proof.Route; got != "single" {
		t.Error(got)
	}
}

func TestADemotionLastsUntilTheNextProbe(t *testing.T) {
	node := start(t, trondev.Config{Wallets: 60})
	r := readerOf(t, exact(), chainAt(node, node.URL()))
	rows := standinRows(node, 0, 5)
	rewriteScans(node, func([]byte) []byte { return nil })
	for range fallAfter {
		mustBeInLedger(t, node, rows, r.Read(t.Context(), rows, 0), 0)
	}
	node.Intercept(nil)
	r.fleet.round(t.Context())
	if o := r.Read(t.Context(), rows, 0)[0]; o.Err != nil || o.Proof.Route != "single" {
		t.Errorf("%+v", o)
	}
	n := nodeOf(r)
	n.ladder.mu.Lock() // ten minutes later
	n.ladder.left = perRung[time.Time]{}
	n.ladder.mu.Unlock()
	n.doubt()
	r.fleet.round(t.Context())
	if o := r.Read(t.Context(), rows, 0)[0]; o.Err != nil || o.Proof.Route != "scanner-revert" {
		t.Errorf("%+v", o)
	}
}
