package trondev_test

import (
	"math/big"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/trondev"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
)

func TestRepliesAreThoseOfJavaTronsOwnMachine(t *testing.T) {
	n := goldenNode(t)
	c := dial(t, n.URL())
	replies := golden(t)
	if len(replies) != 14 {
		t.Fatalf("%d golden replies, want 14", len(replies))
	}
	// What the five replies without an echo were asked.
	untold := map[string]*core.TriggerSmartContract{
		"single-nocontract":          {ContractAddress: address21(at(0x99, 0)), Data: []byte{0x70, 0xa0, 0x82, 0x31}},
		"badaddr-contract":           {ContractAddress: []byte{0x41, 1, 2, 3}},
		"invalid-opcode-initcode":    {Data: []byte{0xfe}},
		"ef-return":                  {Data: []byte{0x60, 0xef, 0x60, 0x00, 0x53, 0x60, 0x01, 0x60, 0x00, 0xf3}},
		"scanner-token-2000-timeout": scan(t, at(0xa6, 0), 2000),
	}
	for name, want := range replies {
		t.Run(name, func(t *testing.T) {
			asked, ok := untold[name]
			if !ok {
				asked = request(t, want)
			}
			asked.OwnerAddress = nobody
			have, err := c.head.TriggerConstantContract(t.Context(), asked)
			if err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(masked(have), masked(want)) {
				t.Errorf("the reply is\n%s\nwant\n%s", prototext.Format(masked(have)), prototext.Format(masked(want)))
			}
		})
	}

	// They are computed: another balance gives another reply.
	token := trondev.Address(at(0xa6, 0))
	for _, owner := range []uint32{1, 5} {
		if err := n.Set(token, trondev.Address(at(0x77, owner)), big.NewInt(11)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"single-ok", "deploy-v2-mixrevert", "deploy-v2-mixreturn", "scanner-mix-return", "scanner-mix-revert"} {
		have, err := c.head.TriggerConstantContract(t.Context(), request(t, replies[name]))
		if err != nil {
			t.Fatal(err)
		}
		if proto.Equal(masked(have), masked(replies[name])) {
			t.Errorf("%s: the reply did not change with the balance", name)
		}
	}
}

func address21(at [20]byte) []byte { return append([]byte{0x41}, at[:]...) }
