package fetchertron

import (
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// tokenRow is a row of tokenA whose decimals are so many in the database.
func tokenRow(decimals int) fetch.Row {
	of := token(tokenA.String())
	of.Decimals = decimals
	return rowOf(of, holder(1).String())
}

// A wrong number in the database would make every human amount wrong by a power of ten.
func TestATokenThatSaysOtherDecimalsThanTheDatabaseGivesAWarning(t *testing.T) {
	node := newScript(t)
	r := readerOf(t, setup(), chainOf(node))
	outcomes := r.Read(t.Context(), []fetch.Row{tokenRow(6), tokenRow(18), tokenRow(300), rowOf(native(), holder(1).String())}, 0)
	if o := outcomes[1]; o.Raw != "7000001" || o.Proof == nil || o.Err == nil || o.Err.Class != wire.ClassWarning || o.Err.Code != wire.CodeDecimalsMismatch {
		t.Errorf("%+v %+v", o, o.Err)
	}
	for _, i := range []int{0, 2, 3} { // 300 are the writer's to refuse
		if o := outcomes[i]; o.Raw == "" || o.Err != nil {
			t.Errorf("row %d: %+v %+v", i, o, o.Err)
		}
	}
}

func TestATokenThatHasNoDecimalsToTellIsBelieved(t *testing.T) {
	for name, answer := range map[string]func(inquiry) *api.TransactionExtention{
		"reverts": func(q inquiry) *api.TransactionExtention {
			reply := returns(asked(q), nil)
			reply.Result.Message = []byte("REVERT opcode executed")
			return reply
		},
		"returns nothing": func(q inquiry) *api.TransactionExtention { return returns(asked(q), nil) },
		"returns a text": func(q inquiry) *api.TransactionExtention {
			return returns(asked(q), []byte("six, as everybody knows, and no less"))
		},
		"takes the time": func(inquiry) *api.TransactionExtention {
			return fails(api.Return_CONTRACT_EXE_ERROR, "class org.tron.core.vm.program.Program$OutOfTimeException : CPU timeout for 'JUMP' operation executing")
		},
	} {
		node := newScript(t)
		node.intercept(on("decimals", func(q inquiry) (proto.Message, error) { return answer(q), nil }))
		r := readerOf(t, setup(), chainOf(node))
		if o := r.Read(t.Context(), []fetch.Row{tokenRow(18)}, 0)[0]; o.Raw != "7000001" || o.Err != nil {
			t.Errorf("%s: %+v %+v", name, o, o.Err)
		}
	}
}

func TestATokenThatNoNodeHasAnsweredForGivesNoValues(t *testing.T) {
	node := newScript(t)
	r := readerOf(t, setup(), chainOf(node))
	node.intercept(on("decimals", func(inquiry) (proto.Message, error) { return nil, status.Error(codes.Internal, "x") }))
	rows := []fetch.Row{tokenRow(6), rowOf(native(), holder(1).String())}
	outcomes := r.Read(t.Context(), rows, 0)
	noValue(t, outcomes[:1])
	if outcomes[0].Err.Class != wire.ClassEndpoint || outcomes[1].Raw == "" {
		t.Errorf("%+v %+v", outcomes[0].Err, outcomes[1].Err)
	}
	node.intercept(nil)
	for _, n := range r.fleet.nodes {
		n.member.Succeeded()
	}
	mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
	// What was answered once holds, whatever comes after.
	r.fleet.tokens.decimals.Note(tokenA, fetch.Said{Number: 6, Known: true, At: time.Now().Add(-2 * fetch.DecimalsAge)}, 6, r.fleet.log)
	node.intercept(on("decimals", func(inquiry) (proto.Message, error) { return nil, status.Error(codes.Internal, "x") }))
	mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
}

func TestDecimalsAreAskedForOnce(t *testing.T) {
	node := newScript(t)
	r := readerOf(t, setup(), chainOf(node))
	questions := 0
	node.intercept(on("decimals", func(q inquiry) (proto.Message, error) {
		questions++
		return q.answer(), nil
	}))
	for range 3 {
		mustBeTrue(t, node, []fetch.Row{tokenRow(6)}, r.Read(t.Context(), []fetch.Row{tokenRow(6)}, 0))
	}
	if questions != 1 {
		t.Errorf("%d questions", questions)
	}
}
