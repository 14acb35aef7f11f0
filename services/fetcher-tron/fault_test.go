package fetchertron

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/upstream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

func TestANodeOfAnotherChainIsNeverRead(t *testing.T) {
	node := newScript(t)
	c := chainOf(node)
	c.Genesis = strings.Repeat("0", 15) + "1" + c.Genesis[16:]
	r := readerOf(t, setup(), c)
	outcomes := r.Read(t.Context(), goodRows(5), 0)
	noValue(t, outcomes)
	if outcomes[0].Err.Code != wire.CodeWrongChain {
		t.Errorf("%+v", outcomes[0].Err)
	}
	if ready, states := r.fleet.process.Health.Ready(); ready || !strings.Contains(fmt.Sprint(states), node.genesisHex()) {
		t.Errorf("ready %t: %v", ready, states)
	}
}

// becomesAnother makes block 0 another chain's.
func becomesAnother() func(context.Context, inquiry) (proto.Message, error) {
	return on("block", func(q inquiry) (proto.Message, error) {
		reply := proto.Clone(q.answer()).(*api.BlockExtention)
		if q.in.(*api.BlockReq).GetIdOrNum() == "0" {
			reply.Blockid[31]++
		}
		return reply, nil
	})
}

// Behind one connection there may be a gateway, which may be told to ask another chain's nodes.
func TestANodeThatBecomesAnotherChainsIsFoundBeforeItsAnswersCount(t *testing.T) {
	node := newScript(t)
	r := readerOf(t, setup(), chainOf(node))
	rows := goodRows(5)
	mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
	node.intercept(becomesAnother())
	outcomes := r.Read(t.Context(), rows, 0)
	noValue(t, outcomes)
	if outcomes[0].Err.Code != wire.CodeWrongChain {
		t.Errorf("%+v", outcomes[0].Err)
	}
	if s := r.fleet.pool.States()[0]; s.Fault == nil || !s.Quarantined {
		t.Error("the node is still in use")
	}
}

func TestTheChainIsCheckedAgainOnEveryNewConnection(t *testing.T) {
	node := newScript(t)
	r := readerOf(t, setup(), chainOf(node))
	mustBeTrue(t, node, goodRows(1)[:1], r.Read(t.Context(), goodRows(1)[:1], 0))
	at := strings.TrimPrefix(node.url, "grpc://")
	node.server.Stop()
	node.listen(t, at)
	var order []string
	var mu sync.Mutex
	node.intercept(func(_ context.Context, q inquiry) (proto.Message, error) {
		mu.Lock()
		defer mu.Unlock()
		name := q.kind
		if block, ok := q.in.(*api.BlockReq); ok && block.GetIdOrNum() == "0" {
			name = "genesis"
		}
		order = append(order, name)
		return q.answer(), nil
	})
	var outcomes []fetch.Outcome
	wait.For(t, 20*time.Second, "the connection is there again", func() bool {
		mu.Lock()
		order = nil
		mu.Unlock()
		for _, n := range r.fleet.nodes {
			n.member.Succeeded() // the breaker is not what is tested
		}
		outcomes = r.Read(t.Context(), goodRows(1)[:1], 0)
		return outcomes[0].Err == nil
	})
	if got := strings.Join(order, " "); outcomes[0].Err != nil || got != "block genesis account genesis block" {
		t.Errorf("%+v, asked for %s", outcomes[0].Err, got)
	}
}

// A value and the height and chain that it is given must come over one connection.
func TestAnAnswerOverAnotherConnectionIsNoValue(t *testing.T) {
	server := newScript(t)
	for name, split := range map[string]func(ours, other wallet) wallet{
		"the value": func(ours, other wallet) wallet { return twoWays{accounts: other, blocks: ours} },
		"the proof": func(ours, other wallet) wallet { return twoWays{accounts: ours, blocks: other} },
	} {
		r, second := readerOf(t, setup(), chainOf(server)), readerOf(t, setup(), chainOf(server))
		rows := goodRows(2)[:1]
		mustBeTrue(t, server, rows, r.Read(t.Context(), rows, 0))
		var other wallet
		for _, n := range second.fleet.nodes {
			other = n.wallet
		}
		for _, n := range r.fleet.nodes {
			n.wallet = split(n.wallet, other)
		}
		outcomes := r.Read(t.Context(), rows, 0)
		noValue(t, outcomes)
		if text := outcomes[0].Err.Message; !strings.Contains(text, "the connection was replaced") {
			t.Errorf("%s: %s", name, text)
		}
		if s := r.fleet.pool.States()[0]; s.Fault != nil || s.Failures != 0 {
			t.Errorf("%s: the endpoint was blamed: %+v", name, s)
		}
	}
}

func TestAnotherEndpointServesTheRowsOfOneThatFails(t *testing.T) {
	fail := func(code codes.Code, message string) func(context.Context, inquiry) (proto.Message, error) {
		return func(context.Context, inquiry) (proto.Message, error) { return nil, status.Error(code, message) }
	}
	faults := map[string]func(context.Context, inquiry) (proto.Message, error){
		"is over its rate": fail(codes.ResourceExhausted, ""),
		"refuses the key":  fail(codes.Unauthenticated, "no"),
		"is down":          fail(codes.Unavailable, "connection refused"),
		"has an error":     fail(codes.Unknown, ""),
		"is switched off":  fail(codes.Unavailable, "this API is unavailable due to config"),
		"is a lite node":   fail(codes.Unavailable, "this API is closed because this node is a lite fullnode"),
		"never answers":    func(ctx context.Context, _ inquiry) (proto.Message, error) { <-ctx.Done(); return nil, ctx.Err() },
		"fails its calls":  on("constant", func(inquiry) (proto.Message, error) { return fails(api.Return_OTHER_ERROR, "class x : y"), nil }),
		"answers nothing":  on("constant", func(inquiry) (proto.Message, error) { return &api.TransactionExtention{}, nil }),
		"runs no contracts": on("constant", func(inquiry) (proto.Message, error) {
			return fails(api.Return_CONTRACT_VALIDATE_ERROR, "Contract validate error : this node does not support constant"), nil
		}),
		"loses its head": heads(0),
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			good, bad := newScript(t), newScript(t)
			config := setup()
			if name == "never answers" {
				config.Timeout = 2 * time.Second // long enough for a good node on a loaded machine
			}
			r := readerOf(t, config, chainOf(bad, good))
			bad.intercept(fault)
			rows := goodRows(5)
			for range 3 {
				outcomes := r.Read(t.Context(), rows, 0)
				mustBeTrue(t, good, rows, outcomes)
				if outcomes[1].Proof.Endpoint != "node-1" {
					t.Fatalf("read at %s", outcomes[1].Proof.Endpoint)
				}
			}
		})
	}
}

func TestAnEndpointRestsForAsLongAsItSays(t *testing.T) {
	for message, want := range map[string]time.Duration{
		"the query server is suspended for 5 s": 5 * time.Second, "exceeds the frequency limit(15), and the query server is suspended for 60s": time.Minute, "": restAfterLimit} {
		node := newScript(t)
		r := readerOf(t, setup(), chainOf(node))
		node.intercept(on("account", func(inquiry) (proto.Message, error) { return nil, status.Error(codes.PermissionDenied, message) }))
		started := time.Now()
		noValue(t, r.Read(t.Context(), goodRows(5), 0))
		until := r.fleet.pool.States()[0].Until
		if rest := until.Sub(started); rest < want || rest > want+time.Since(started) {
			t.Errorf("%q: %v, want %v", message, rest, want)
		}
		before := node.requests.Load()
		for range 20 {
			outcomes := r.Read(t.Context(), goodRows(5), 0)
			noValue(t, outcomes)
			if outcomes[0].Err.Code != wire.CodeRateLimited {
				t.Fatalf("%+v", outcomes[0].Err)
			}
		}
		r.fleet.round(t.Context())
		if cost := node.requests.Load() - before; cost != 0 {
			t.Errorf("%q: %d requests while the node asked to be left alone", message, cost)
		}
	}
}

func TestANodeThatRefusesTheKeyIsLeftAlone(t *testing.T) {
	node := newScript(t)
	r := readerOf(t, setup(), chainOf(node))
	node.intercept(func(context.Context, inquiry) (proto.Message, error) {
		return nil, status.Error(codes.Unauthenticated, "no")
	})
	started := time.Now()
	noValue(t, r.Read(t.Context(), goodRows(1), 0))
	if until := r.fleet.pool.States()[0].Until; until.Sub(started) < upstream.LongestPause {
		t.Errorf("until %v", until)
	}
}

// Constant calls can be switched off on a node that serves accounts.
func TestANodeWithoutConstantCallsServesTheCoin(t *testing.T) {
	node := newScript(t)
	node.intercept(on("constant", func(inquiry) (proto.Message, error) {
		return fails(api.Return_CONTRACT_VALIDATE_ERROR, "Contract validate error : this node does not support constant"), nil
	}))
	r := readerOf(t, setup(), chainOf(node))
	rows := goodRows(2)
	before := node.requests.Load()
	outcomes := r.Read(t.Context(), rows, 0)
	if got := counts(outcomes); got["value"] != 2 || got["endpoint bad_reply"] != 4 {
		t.Errorf("%v", got)
	}
	if cost := node.requests.Load() - before; cost != 5 { // block, 2 accounts, block 0, block
		t.Errorf("%d requests", cost)
	}
}

func TestAnEndpointThatStopsServingTheViewIsTakenOut(t *testing.T) {
	node := newScript(t)
	r := readerOf(t, setup(), chainOf(node))
	node.intercept(func(context.Context, inquiry) (proto.Message, error) {
		return nil, status.Error(codes.Unavailable, "this API is unavailable due to config")
	})
	r.fleet.round(t.Context())
	if s := r.fleet.pool.States()[0]; s.Fault == nil || !s.Quarantined || !strings.Contains(s.Fault.Text, "due to config") {
		t.Errorf("%+v", s)
	}
}

// A row that the node cannot answer, however it fails, costs its neighbours nothing.
func TestOneRowThatFailsTheNodeDoesNotSpoilItsNeighbours(t *testing.T) {
	for name, fault := range map[string]error{
		"no answer": nil, "internal": status.Error(codes.Internal, "stream terminated by RST_STREAM"), "too large": status.Error(codes.ResourceExhausted, "grpc: received message larger than max"),
	} {
		node := newScript(t)
		config := setup()
		if fault == nil {
			config.Timeout = 2 * time.Second
		}
		r := readerOf(t, config, chainOf(node))
		node.intercept(func(ctx context.Context, q inquiry) (proto.Message, error) {
			if q.kind == "constant" && strings.HasSuffix(string(asked(q).GetData()), string(holder(3).word())) {
				if fault == nil {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return nil, fault
			}
			return q.answer(), nil
		})
		var rows []fetch.Row
		for i := range 50 {
			rows = append(rows, rowOf(token(tokenA.String()), holder(i).String()))
		}
		outcomes := r.Read(t.Context(), rows, 0)
		if got := counts(outcomes); got["value"] != 49 || outcomes[3].Err == nil || outcomes[3].Err.Class != wire.ClassEndpoint {
			t.Errorf("%s: %v, %+v", name, got, outcomes[3].Err)
		}
	}
}

// A node that is down must not be asked for every row.
func TestANodeThatDoesNotAnswerIsGivenUpSoon(t *testing.T) {
	node := newScript(t)
	config := setup()
	config.Timeout, config.Calls = time.Second, 1
	r := readerOf(t, config, chainOf(node))
	var calls atomic.Int64
	node.intercept(func(ctx context.Context, q inquiry) (proto.Message, error) {
		if q.kind == "block" {
			return q.answer(), nil
		}
		calls.Add(1)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	noValue(t, r.Read(t.Context(), coins(50), 0))
	if calls.Load() != mostHurts {
		t.Errorf("%d calls", calls.Load())
	}
}

// A pause of the node's collector uses up a call's time as a token does. Only a token that does it again is at fault.
func TestATokenThatUsesUpTheNodesTimeTwiceIsAtFault(t *testing.T) {
	node := newScript(t)
	r := readerOf(t, setup(), chainOf(node))
	var calls atomic.Int64
	timeout := func(q inquiry) (proto.Message, error) {
		calls.Add(1)
		return fails(api.Return_CONTRACT_EXE_ERROR, "class org.tron.core.vm.program.Program$OutOfTimeException : CPU timeout for 'JUMPDEST' operation executing"), nil
	}
	rows := []fetch.Row{rowOf(token(tokenA.String()), holder(1).String())}
	node.intercept(on("constant", timeout))
	first := r.Read(t.Context(), rows, 0)[0]
	if first.Err == nil || first.Err.Class != wire.ClassEndpoint || calls.Load() != 2 {
		t.Errorf("first: %+v after %d calls", first.Err, calls.Load())
	}
	second := r.Read(t.Context(), rows, 0)[0]
	if second.Err == nil || second.Err.Class != wire.ClassRow || second.Err.Code != wire.CodeGasExceeded {
		t.Errorf("second: %+v", second.Err)
	}
	if s := r.fleet.pool.States()[0]; s.Fault != nil || s.Failures != 0 {
		t.Errorf("the endpoint was blamed: %+v", s)
	}
	before := calls.Load()
	if o := r.Read(t.Context(), rows, 0)[0]; o.Err == nil || o.Err.Class != wire.ClassRow || calls.Load() != before {
		t.Errorf("in quarantine: %+v after %d calls", o.Err, calls.Load()-before)
	}
	r.fleet.tokens.mu.Lock() // a minute later
	s := r.fleet.tokens.slow[tokenA]
	s.until = time.Time{}
	r.fleet.tokens.slow[tokenA] = s
	r.fleet.tokens.mu.Unlock()
	node.intercept(nil)
	mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
	node.intercept(on("constant", timeout)) // a value in between: it counts from the start again
	if o := r.Read(t.Context(), rows, 0)[0]; o.Err == nil || o.Err.Class != wire.ClassEndpoint {
		t.Errorf("after a value: %+v", o.Err)
	}
}

// A node that is slow for all must not put a good token in quarantine while there are others to ask.
func TestATokenIsNotAtFaultForWhatOneOfSeveralNodesSays(t *testing.T) {
	node, slow := newScript(t), newScript(t)
	r := readerOf(t, setup(), chainOf(slow, node))
	slow.intercept(on("constant", func(inquiry) (proto.Message, error) {
		return fails(api.Return_CONTRACT_EXE_ERROR, "class org.tron.core.vm.program.Program$OutOfTimeException : CPU timeout for 'JUMPDEST' operation executing"), nil
	}))
	rows := []fetch.Row{tokenRow(6), tokenRow(6), tokenRow(6)}
	for range 6 {
		mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
	}
	now := time.Now()
	var tokens tokens
	c := call{token: tokenA}
	for i, tt := range []struct {
		strike strike
		want   bool
	}{
		{strike{by: "a", began: now}, false},
		{strike{by: "b", began: now}, false},                             // of the same moment
		{strike{by: "a", began: now.Add(time.Hour)}, false},              // of the same node, and there are others
		{strike{by: "a", alone: true, began: now.Add(time.Hour)}, true},  // of the only one
		{strike{by: "a", alone: true, began: now.Add(-time.Hour)}, true}, // it is by now
	} {
		if got := tokens.struck(c, tt.strike); got != tt.want {
			t.Errorf("strike %d: %t", i, got)
		}
	}
}

// What runs in a goroutine of the reader's must reach the loop, which finds out which row it is.
func TestAPanicReachesTheCaller(t *testing.T) {
	node := newScript(t)
	r := readerOf(t, setup(), chainOf(node))
	for _, n := range r.fleet.nodes {
		n.wallet = poisoned{n.wallet}
	}
	defer func() {
		if p := recover(); p == nil {
			t.Error("no panic")
		}
	}()
	r.Read(t.Context(), goodRows(3), 0)
}

// A panic of a check would end the process, and every other chain's reading with it.
func TestAPanicInACheckIsTheEndpointsFailure(t *testing.T) {
	one, other := newScript(t), newScript(t)
	r := readerOf(t, setup(), chainOf(one, other))
	node := r.fleet.nodes[r.fleet.pool.Endpoints()[0]]
	node.wallet = poisoned{node.wallet}
	node.doubt()
	r.fleet.round(t.Context())
	if states := r.fleet.pool.States(); states[0].Failures == 0 || states[1].Failures > 0 {
		t.Errorf("%+v", states)
	}
}
