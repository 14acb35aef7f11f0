package fetchertron

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"sync/atomic"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/trondev"
	"github.com/balance-sync/balance-sync/shared/scanner"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// rewriteScans changes what the scanner answers.
func rewriteScans(node *trondev.Node, change func(output []byte) []byte) {
	node.Intercept(func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, method grpc.UnaryHandler) (any, error) {
		out, err := method(ctx, in)
		if q, ok := in.(*core.TriggerSmartContract); ok && len(q.ContractAddress) == 0 {
			if reply, ok := out.(*api.TransactionExtention); ok && len(reply.ConstantResult) == 1 {
				reply.ConstantResult[0] = change(reply.ConstantResult[0])
			}
		}
		return out, err
	})
}

func TestABulkErrorIsOverturnedByTheSingleCall(t *testing.T) {
	node := start(t, trondev.Config{Wallets: 60})
	r := readerOf(t, exact(), chainAt(node, node.URL()))
	rewriteScans(node, func(output []byte) []byte { // the first two rows fail
		for at := 64; at < 66; at++ {
			output = append(append(append([]byte{}, output[:at]...), 0x80), output[at+1+int(output[at]):]...)
		}
		return output
	})
	rows := tokenRows(node, node.Tokens()[0].Address, 20)
	outcomes := r.Read(t.Context(), rows, 0)
	mustBeInLedger(t, node, rows, outcomes, 0)
	for i, want := range []string{"single", "single", "scanner-revert"} {
		if outcomes[i].Proof.Route != want {
			t.Errorf("row %d by %s", i, outcomes[i].Proof.Route)
		}
	}
}

// The scanner refuses to ask its own address. Such an asset, which anybody can add, must not cost the chain its best rung.
func TestTheScannersOwnAddressIsNoToken(t *testing.T) {
	node := start(t, trondev.Config{Wallets: 60})
	r := readerOf(t, exact(), chainAt(node, node.URL()))
	own := scanner.OverrideAddress()
	rows := append(standinRows(node, 0, 3), rowOf(token("41"+hex.EncodeToString(own[:])), node.Wallet(1)))
	last := len(rows) - 1
	for range fallAfter {
		outcomes := r.Read(t.Context(), rows, 0)
		mustBeInLedger(t, node, rows[:last], outcomes[:last], 0)
		if o := outcomes[last]; o.Err == nil || o.Err.Class != wire.ClassRow || o.Err.Code != wire.CodeBadToken {
			t.Errorf("%q %+v", o.Raw, o.Err)
		}
	}
	if got := nodeOf(r).showRung(); got != scanRevert {
		t.Errorf("the endpoint is read by %s", got)
	}
}

// The scan fails for all of the token's rows, and one wallet's fails whoever asks: it does not always speak for the others.
func TestTheRowThatSpeaksForItsTokenIsAnotherEachTime(t *testing.T) {
	node := start(t, trondev.Config{Wallets: 60})
	r := readerOf(t, exact(), chainAt(node, node.URL()))
	rows := tokenRows(node, node.Tokens()[0].Address, 10)
	plan, _ := plan(rows)
	refused := plan[0].trigger().Data
	node.Intercept(func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, method grpc.UnaryHandler) (any, error) {
		out, err := method(ctx, in)
		q, ok := in.(*core.TriggerSmartContract)
		switch {
		case ok && bytes.Equal(q.Data, refused):
			return fails(api.Return_CONTRACT_EXE_ERROR, "class org.tron.core.vm.program.Program$IllegalOperationException : Invalid operation code"), nil
		case ok && len(q.ContractAddress) == 0:
			reply := out.(*api.TransactionExtention)
			output := append(append([]byte{}, reply.ConstantResult[0][:64]...), bytes.Repeat([]byte{0x80}, len(rows))...)
			binary.BigEndian.PutUint32(output[28:], uint32(len(rows)))
			reply.ConstantResult[0] = output
		}
		return out, err
	})
	for range 50 {
		outcomes := r.Read(t.Context(), rows, 0)
		noValue(t, outcomes[:1])
		if outcomes[1].Err == nil {
			mustBeInLedger(t, node, rows[1:], outcomes[1:], 0)
			return
		}
	}
	t.Error("nine good rows were never read")
}

func TestAScanOfAnotherChainIsNoAnswer(t *testing.T) {
	node := start(t, trondev.Config{Wallets: 60})
	r := readerOf(t, exact(), chainAt(node, node.URL()))
	rewriteScans(node, func(output []byte) []byte { output[11]++; return output })
	outcomes := r.Read(t.Context(), standinRows(node, 0, 3), 0)
	noValue(t, outcomes)
	if s := r.fleet.pool.States()[0]; outcomes[0].Err.Code != wire.CodeWrongChain || !s.Quarantined {
		t.Errorf("%+v, %+v", outcomes[0].Err, s)
	}
	// So is a node that names our block 0 and runs contracts of another chain.
	r = readerOf(t, exact(), chainAt(node, node.URL()))
	if s := r.fleet.pool.States()[0]; s.Fault == nil || s.Fault.Code != wire.CodeWrongChain {
		t.Errorf("%+v", s)
	}
}

func TestAScanAboveWhatTheChainCanHaveIsRefused(t *testing.T) {
	node := start(t, trondev.Config{Wallets: 60})
	r := readerOf(t, exact(), chainAt(node, node.URL()))
	rewriteScans(node, func(output []byte) []byte { output[15] = 1; return output }) // of 8 bytes from 12 on: 4 billion
	outcomes := r.Read(t.Context(), standinRows(node, 0, 3), 0)
	noValue(t, outcomes)
	if outcomes[0].Err.Code != wire.CodeHeightRefused {
		t.Errorf("%+v", outcomes[0].Err)
	}
}

func TestAScanOfANodeThatLagsIsRefused(t *testing.T) {
	node := start(t, trondev.Config{Wallets: 60})
	r := readerOf(t, exact(), chainAt(node, node.URL()))
	rewriteScans(node, func(output []byte) []byte { output[18]--; return output }) // 256 blocks
	outcomes := r.Read(t.Context(), standinRows(node, 0, 3), 0)
	noValue(t, outcomes)
	if outcomes[0].Err.Code != wire.CodeLagging {
		t.Errorf("%+v", outcomes[0].Err)
	}
}

func TestAScansAnswerToAnotherIsNoAnswer(t *testing.T) {
	node := start(t, trondev.Config{Wallets: 60})
	r := readerOf(t, exact(), chainAt(node, node.URL()))
	var first atomic.Pointer[api.TransactionExtention]
	node.Intercept(func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, method grpc.UnaryHandler) (any, error) {
		out, err := method(ctx, in)
		q, ok := in.(*core.TriggerSmartContract)
		if !ok || len(q.ContractAddress) > 0 {
			return out, err
		}
		if reply, ok := out.(*api.TransactionExtention); ok && !first.CompareAndSwap(nil, reply) {
			return proto.Clone(first.Load()), err // a gateway that gives what it has in its cache
		}
		return out, err
	})
	rows := tokenRows(node, node.Tokens()[0].Address, 5)
	mustBeInLedger(t, node, rows, r.Read(t.Context(), rows, 0), 0)
	others := tokenRows(node, node.Tokens()[0].Address, 10)[5:]
	outcomes := r.Read(t.Context(), others, 0)
	noValue(t, outcomes)
}

func TestAMangledScanIsNotRead(t *testing.T) {
	for name, change := range map[string]func([]byte) []byte{
		"cut": func(b []byte) []byte { return b[:len(b)-1] }, "longer": func(b []byte) []byte { return append(b, 0) }, "empty": func([]byte) []byte { return nil },
		"another version": func(b []byte) []byte { b[0]++; return b }, "zeros": func(b []byte) []byte { return make([]byte, len(b)) },
		"more rows": func(b []byte) []byte { b[31]++; return append(b, 0) },
	} {
		node := start(t, trondev.Config{Wallets: 60})
		r := readerOf(t, exact(), chainAt(node, node.URL()))
		rewriteScans(node, change)
		rows := standinRows(node, 0, 5)
		for range fallAfter { // the single calls serve, and after the second time the rung is left
			outcomes := r.Read(t.Context(), rows, 0)
			mustBeInLedger(t, node, rows, outcomes, 0)
			if outcomes[0].Proof.Route != "single" {
				t.Errorf("%s: read by %s", name, outcomes[0].Proof.Route)
			}
		}
		if got := nodeOf(r).ladder.best(perRung[bool]{}); got != scanReturn && got != single {
			t.Errorf("%s: still on %s", name, got)
		}
	}
}
