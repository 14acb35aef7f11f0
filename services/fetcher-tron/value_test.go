package fetchertron

import (
	"math/big"
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

func TestValuesAreThoseOfTheSolidifiedState(t *testing.T) {
	node := newScript(t)
	node.change(func(_, head *view) { // what is not solid yet must not be seen
		for i := range 200 {
			head.balances[holder(i)] += 5
			head.tokens[tokenA][holder(i)] = big.NewInt(1)
		}
	})
	rows := goodRows(120)
	outcomes := readerOf(t, setup(), chainOf(node)).Read(t.Context(), rows, 0)
	mustBeTrue(t, node, rows, outcomes)
	p := outcomes[0].Proof
	if p.Height != firstBlock-2 || p.Finality != "solid" || p.Endpoint != "node-0" || p.Route != "single" || p.Tip != firstBlock || p.Agree != 1 || p.ObservedAt.IsZero() {
		t.Errorf("%+v", p)
	}
}

func TestFinalityHeadReadsTheNewestState(t *testing.T) {
	node := newScript(t)
	node.change(func(_, head *view) { head.balances[holder(1)] = 5 })
	c := chainOf(node)
	c.Finality = chain.Finality{Tag: "head"}
	outcomes := readerOf(t, setup(), c).Read(t.Context(), []fetch.Row{rowOf(native(), holder(1).String())}, 0)
	if o := outcomes[0]; o.Raw != "5" || o.Proof.Height != firstBlock+19-2 || o.Proof.Finality != "head" {
		t.Errorf("%+v", o)
	}
}

func TestAnAccountThatWasNeverUsedHasZero(t *testing.T) {
	node := newScript(t)
	rows := []fetch.Row{rowOf(native(), holder(1000).String()), rowOf(token(tokenA.String()), holder(1000).String())}
	outcomes := readerOf(t, setup(), chainOf(node)).Read(t.Context(), rows, 0)
	mustBeTrue(t, node, rows, outcomes)
	if outcomes[0].Raw != "0" || outcomes[1].Raw != "0" {
		t.Errorf("%+v", outcomes)
	}
}

// A node that has lost its accounts says of everybody that he was never there.
func TestANodeThatHasNoAccountsAtAllGivesNoZeros(t *testing.T) {
	node := newScript(t)
	r := readerOf(t, setup(), chainOf(node))
	node.intercept(on("account", func(inquiry) (proto.Message, error) { return &core.Account{}, nil }))
	outcomes := r.Read(t.Context(), []fetch.Row{rowOf(native(), holder(1).String()), rowOf(native(), holder(1000).String())}, 0)
	noValue(t, outcomes)
	if err := outcomes[0].Err; err.Class != wire.ClassEndpoint || err.Code != wire.CodeBadReply {
		t.Errorf("%+v", err)
	}
}

// A node that is confused, or a gateway that mixes answers up, must not give one account the balance of another.
func TestTheAccountOfAnotherAddressIsNoAnswer(t *testing.T) {
	replies := map[string]*core.Account{
		"another's":             {Address: holder(2).wire(), Balance: 7},
		"another's without sun": {Address: holder(2).wire()},
		"without an address":    {Balance: 7},
		"named, of nobody":      {AccountName: []byte("x")},
		"below zero":            {Address: holder(1).wire(), Balance: -1},
	}
	for name, reply := range replies {
		node := newScript(t)
		r := readerOf(t, setup(), chainOf(node))
		node.intercept(on("account", func(inquiry) (proto.Message, error) { return reply, nil }))
		outcomes := r.Read(t.Context(), []fetch.Row{rowOf(native(), holder(1).String())}, 0)
		noValue(t, outcomes)
		if err := outcomes[0].Err; err.Class != wire.ClassEndpoint || err.Code != wire.CodeBadReply {
			t.Errorf("%s: %+v", name, err)
		}
	}
}

func asked(q inquiry) *core.TriggerSmartContract { return q.in.(*core.TriggerSmartContract) }

// The seed stored 0 for every answer that it could not read, and gotron-sdk does so for a revert and for an empty return.
func TestARevertAndAnEmptyReturnAreNotZero(t *testing.T) {
	node := newScript(t)
	r := readerOf(t, setup(), chainOf(node))
	reverted := func(data []byte, message string, ret core.Transaction_ResultCode) func(inquiry) *api.TransactionExtention {
		return func(q inquiry) *api.TransactionExtention {
			reply := returns(asked(q), data)
			reply.Result.Message = []byte(message)
			reply.Transaction.Ret[0].Ret = ret
			return reply
		}
	}
	word := make([]byte, 32)
	tests := []struct {
		name  string
		reply func(inquiry) *api.TransactionExtention
		class wire.Class
		code  string
	}{
		{"revert with a word", reverted(word, "REVERT opcode executed", core.Transaction_Result_FAILED), wire.ClassRow, wire.CodeReverted},
		{"revert with nothing", reverted(nil, "REVERT opcode executed", core.Transaction_Result_FAILED), wire.ClassRow, wire.CodeReverted},
		{"revert by its message", reverted(word, "REVERT opcode executed", core.Transaction_Result_SUCESS), wire.ClassRow, wire.CodeReverted},
		{"revert by its mark", reverted(word, "", core.Transaction_Result_FAILED), wire.ClassRow, wire.CodeReverted},
		{"returns nothing", func(q inquiry) *api.TransactionExtention { return returns(asked(q), nil) }, wire.ClassRow, wire.CodeEmptyReturn},
		{"returns 31 bytes", func(q inquiry) *api.TransactionExtention { return returns(asked(q), word[:31]) }, wire.ClassRow, wire.CodeShortReturn},
		{"an empty reply", func(inquiry) *api.TransactionExtention { return &api.TransactionExtention{} }, wire.ClassEndpoint, wire.CodeBadReply},
		{"a success without a result", func(inquiry) *api.TransactionExtention {
			return &api.TransactionExtention{Result: &api.Return{Result: true}}
		}, wire.ClassEndpoint, wire.CodeBadReply},
		{"a success with two results", func(q inquiry) *api.TransactionExtention {
			reply := returns(asked(q), word)
			reply.ConstantResult = append(reply.ConstantResult, word)
			return reply
		}, wire.ClassEndpoint, wire.CodeBadReply},
		{"a success that is none", func(q inquiry) *api.TransactionExtention {
			reply := returns(asked(q), word)
			reply.Result.Result = false
			return reply
		}, wire.ClassEndpoint, wire.CodeBadReply},
		{"a success with an unknown message", reverted(word, "something new", core.Transaction_Result_SUCESS), wire.ClassEndpoint, wire.CodeBadReply},
		{"the answer to another holder", func(q inquiry) *api.TransactionExtention {
			return returns(call{token: tokenA, holder: holder(2)}.trigger(), word)
		}, wire.ClassEndpoint, wire.CodeBadReply},
		{"the answer of another token", func(q inquiry) *api.TransactionExtention {
			return returns(call{token: tokenB, holder: holder(1)}.trigger(), word)
		}, wire.ClassEndpoint, wire.CodeBadReply},
		{"an echo of something else", func(q inquiry) *api.TransactionExtention {
			reply := returns(asked(q), word)
			reply.Transaction.RawData.Contract[0].Parameter = &anypb.Any{TypeUrl: "type.googleapis.com/protocol.TransferContract"}
			return reply
		}, wire.ClassEndpoint, wire.CodeBadReply},
	}
	for _, tt := range tests {
		node.intercept(on("constant", func(q inquiry) (proto.Message, error) { return tt.reply(q), nil }))
		for _, n := range r.fleet.nodes {
			n.member.Succeeded()
		}
		outcomes := r.Read(t.Context(), []fetch.Row{rowOf(token(tokenA.String()), holder(1).String())}, 0)
		noValue(t, outcomes)
		if err := outcomes[0].Err; err.Class != tt.class || err.Code != tt.code {
			t.Errorf("%s: %+v", tt.name, err)
		}
	}
}

func TestTheFirstWordOfALongReturnIsTheBalance(t *testing.T) {
	c := call{token: tokenA, holder: holder(1)}
	data := append(new(big.Int).SetInt64(7).FillBytes(make([]byte, 32)), []byte(strings.Repeat("x", 64))...)
	if a := c.triggerAnswer(returns(c.trigger(), data)); a.raw != "7" {
		t.Errorf("%+v", a)
	}
	most := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
	if a := c.triggerAnswer(returns(c.trigger(), most.Bytes())); a.raw != most.String() {
		t.Errorf("%+v", a)
	}
}

func TestBadRowsCostNoRequest(t *testing.T) {
	node := newScript(t)
	r := readerOf(t, setup(), chainOf(node))
	before := node.requests.Load()
	good := holder(1).String()
	bad := map[string][]fetch.Row{
		wire.CodeBadAddress: {rowOf(native(), ""), rowOf(native(), "nonsense"), rowOf(native(), good[:33]), rowOf(native(), "T"+strings.Repeat("1", 33)), rowOf(native(), "0x"+strings.Repeat("ab", 20))},
		wire.CodeBadToken: {rowOf(token(""), good), rowOf(token("0x"+strings.Repeat("0", 40)), good), rowOf(token("41"+strings.Repeat("0", 40)), good), rowOf(token(nobody.String()), good),
			rowOf(token(nowhere.String()), good), rowOf(token("41"+strings.Repeat("0", 32)+"01000005"), good)},
	}
	for code, rows := range bad {
		for i, o := range r.Read(t.Context(), rows, 0) {
			if o.Raw != "" || o.Err == nil || o.Err.Class != wire.ClassRow || o.Err.Code != code {
				t.Errorf("%s, row %d: %+v", code, i, o)
			}
		}
	}
	if cost := node.requests.Load() - before; cost != 0 {
		t.Errorf("%d requests", cost)
	}
}

func TestARowErrorThatIsNotSaidTwiceIsNone(t *testing.T) {
	node := newScript(t)
	r := readerOf(t, setup(), chainOf(node))
	first := true
	node.intercept(on("constant", func(q inquiry) (proto.Message, error) {
		if first {
			first = false
			return returns(asked(q), nil), nil
		}
		return q.answer(), nil
	}))
	rows := []fetch.Row{rowOf(token(tokenA.String()), holder(1).String())}
	mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
}
