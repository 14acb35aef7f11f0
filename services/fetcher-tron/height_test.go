package fetchertron

import (
	"context"
	"encoding/binary"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
	"google.golang.org/protobuf/proto"
)

// blockAt is the header of a block as a node tells it.
func blockAt(number int64, at time.Time) *api.BlockExtention {
	id := make([]byte, 32)
	binary.BigEndian.PutUint64(id, uint64(number))
	return &api.BlockExtention{BlockHeader: &core.BlockHeader{RawData: &core.BlockHeaderRaw{Number: number, Timestamp: at.UnixMilli(), WitnessAddress: holder(0).wire()}}, Blockid: id}
}

// heads makes a node tell of these heads, one after the other, the last one for ever.
func heads(numbers ...int64) func(context.Context, inquiry) (proto.Message, error) {
	next := 0
	return on("block", func(q inquiry) (proto.Message, error) {
		if q.in.(*api.BlockReq).GetIdOrNum() == "0" {
			return q.answer(), nil
		}
		number := numbers[min(next, len(numbers)-1)]
		next++
		return blockAt(number, time.Now()), nil
	})
}

// coins are the coin of n wallets, the first of which are in use.
func coins(n int) []fetch.Row {
	var rows []fetch.Row
	for i := range n {
		rows = append(rows, rowOf(native(), holder(i%200).String()))
	}
	return rows
}

func TestTheHeightIsTheLowerOfTheTwoBlocksLessTheSlack(t *testing.T) {
	const n = firstBlock
	tests := []struct {
		name   string
		slack  int64
		before int64
		after  int64
		want   int64
	}{
		{"one block all along", 2, n, n, n - 2},
		{"a block came meanwhile", 2, n, n + 1, n - 2},
		{"a node of its own", 0, n, n + 1, n},
		{"another node answered, behind", 2, n, n - 1, n - 3},
		// What was seen of the endpoint counts for more than what is configured: 5 apart, 5 below the lower one.
		{"another node answered, far behind", 2, n, n - 5, n - 10},
		{"another node answered, no slack configured", 0, n, n - 5, n - 10},
	}
	for _, tt := range tests {
		node := newScript(t)
		config := setup()
		config.Slack = tt.slack
		r := readerOf(t, config, chainOf(node))
		node.intercept(heads(tt.before, tt.after))
		o := r.Read(t.Context(), []fetch.Row{rowOf(native(), holder(1).String())}, 0)[0]
		if o.Err != nil || o.Proof.Height != tt.want {
			t.Errorf("%s: %+v %+v, want %d", tt.name, o.Proof, o.Err, tt.want)
		}
	}
}

// Each piece of a long read has the height that was told of just before it, never one that was told of after it.
func TestALongReadLooksAtTheHeightAgain(t *testing.T) {
	node := newScript(t)
	config := setup()
	config.Slack = 0
	r := readerOf(t, config, chainOf(node))
	const n = firstBlock
	node.intercept(heads(n, n+1, n+2, n+3))
	outcomes := r.Read(t.Context(), coins(300), 0)
	for i, o := range outcomes {
		if want := int64(n + i/span); o.Err != nil || o.Proof.Height != want {
			t.Fatalf("row %d: %+v %+v, want height %d", i, o.Proof, o.Err, want)
		}
	}
}

func TestAHeightThatTheChainCannotHaveReachedIsRefused(t *testing.T) {
	node, twin, liar := newScript(t), newScript(t), newScript(t)
	r := readerOf(t, setup(), chainOf(node, twin, liar))
	liar.intercept(heads(1_000_000_000))
	r.fleet.round(t.Context())
	rows := goodRows(3)
	for range 6 { // whoever is asked first
		mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
	}
	alone := readerOf(t, setup(), chainOf(node, liar))
	for range 4 {
		for _, o := range alone.Read(t.Context(), rows, 0) {
			if o.Proof != nil && o.Proof.Height > firstBlock {
				t.Fatalf("a value at block %d", o.Proof.Height)
			}
		}
	}
}

func TestANodeThatLosesItsMindDuringAReadGivesNoHeight(t *testing.T) {
	node := newScript(t)
	r := readerOf(t, setup(), chainOf(node))
	node.intercept(heads(firstBlock, firstBlock+1, 1_000_000_000))
	outcomes := r.Read(t.Context(), coins(300), 0) // the third piece begins and ends at a height that cannot be
	for i, o := range outcomes {
		if o.Proof != nil && o.Proof.Height > firstBlock+1 {
			t.Fatalf("row %d at %d", i, o.Proof.Height)
		}
	}
	noValue(t, outcomes[2*span:])
	if code := outcomes[2*span].Err.Code; code != wire.CodeHeightRefused {
		t.Error(code)
	}
}

func TestABlockThatIsNoneGivesNoHeight(t *testing.T) {
	off := blockAt(firstBlock, time.Now())
	off.BlockHeader.RawData.Number++
	short := blockAt(firstBlock, time.Now())
	short.Blockid = short.Blockid[:31]
	first := blockAt(0, time.Now())
	below := blockAt(-1, time.Now())
	for name, reply := range map[string]*api.BlockExtention{"nothing": {}, "the id of another": off, "a short id": short, "the first block": first, "below zero": below,
		"no header": {Blockid: off.Blockid}, "no id": {BlockHeader: off.BlockHeader}} {
		node := newScript(t)
		r := readerOf(t, setup(), chainOf(node))
		node.intercept(on("block", func(q inquiry) (proto.Message, error) {
			if q.in.(*api.BlockReq).GetIdOrNum() == "0" {
				return q.answer(), nil
			}
			return reply, nil
		}))
		if outcomes := r.Read(t.Context(), goodRows(1), 0); outcomes[0].Err == nil {
			t.Errorf("%s: %+v", name, outcomes[0])
		}
	}
}

func TestAnEndpointThatLagsIsOutOfRotationAndComesBack(t *testing.T) {
	for name, still := range map[string]func(context.Context, inquiry) (proto.Message, error){
		"21 behind": heads(firstBlock - 21),
		"an old head": on("block", func(q inquiry) (proto.Message, error) {
			if q.in.(*api.BlockReq).GetIdOrNum() == "0" {
				return q.answer(), nil
			}
			return blockAt(firstBlock, time.Now().Add(-time.Hour)), nil
		}),
	} {
		node, behind := newScript(t), newScript(t)
		r := readerOf(t, setup(), chainOf(node, behind))
		behind.intercept(still)
		r.fleet.round(t.Context())
		if s := r.fleet.pool.States()[1]; s.Fault == nil || s.Fault.Code != wire.CodeLagging {
			t.Fatalf("%s: %+v", name, s)
		}
		rows := goodRows(2)
		for range 4 {
			outcomes := r.Read(t.Context(), rows, 0)
			mustBeTrue(t, node, rows, outcomes)
			if outcomes[0].Proof.Endpoint != "node-0" {
				t.Errorf("%s: read at %s", name, outcomes[0].Proof.Endpoint)
			}
		}
		behind.intercept(nil)
		r.fleet.round(t.Context())
		if s := r.fleet.pool.States()[1]; s.Fault != nil {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// Twenty blocks are what the heads of good nodes may differ by.
func TestAnEndpointThatIsALittleBehindStays(t *testing.T) {
	node, behind := newScript(t), newScript(t)
	r := readerOf(t, setup(), chainOf(node, behind))
	behind.intercept(heads(firstBlock - 20))
	r.fleet.round(t.Context())
	if s := r.fleet.pool.States()[1]; s.Fault != nil {
		t.Errorf("%+v", s)
	}
}

// One liar among the endpoints must not put the honest ones out of rotation.
func TestANodeFarAheadDoesNotMakeTheOthersLag(t *testing.T) {
	node, liar := newScript(t), newScript(t)
	r := readerOf(t, setup(), chainOf(node, liar))
	liar.intercept(heads(1_000_000_000))
	r.fleet.round(t.Context())
	if s := r.fleet.pool.States()[0]; s.Fault != nil {
		t.Errorf("%+v", s)
	}
}
