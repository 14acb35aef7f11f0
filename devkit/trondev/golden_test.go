package trondev_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/trondev"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
	"google.golang.org/protobuf/proto"
)

// The state that the golden replies were made on.
const (
	goldenHead = 70_000_000
	goldenTime = 1_750_000_000_000
	goldenLag  = 19
)

// at is an address of 20 bytes that begins with one byte and ends with a number.
func at(first byte, number uint32) (address [20]byte) {
	address[0] = first
	binary.BigEndian.PutUint32(address[16:], number)
	return address
}

// goldenID gives the block ids of the fixture. Its chain had an empty genesis header.
func goldenID(height int64) (id [32]byte) {
	switch height {
	case 0:
		id = sha256.Sum256(nil)
	case goldenHead - 1:
		rest, _ := hex.DecodeString("121e8e41fa28a748bdaee67458d9c8e260f1e07a2db0307c")
		copy(id[8:], rest)
	}
	binary.BigEndian.PutUint64(id[:8], uint64(height))
	return id
}

// goldenNode is a node with the fixture's state.
func goldenNode(t testing.TB) *trondev.Node {
	t.Helper()
	return goldenNodeWith(t, 2000, 0)
}

// goldenNodeWith has fewer owners, and another limit on the time of a call.
func goldenNodeWith(t testing.TB, owners int, cpu time.Duration) *trondev.Node {
	t.Helper()
	n := start(t, trondev.Config{Chain: 1, Height: goldenHead, Time: goldenTime, SolidLag: goldenLag, BlockID: goldenID, CPU: cpu})
	token := trondev.Address(at(0xa6, 0))
	for address, program := range map[[20]byte]string{
		// balanceOf reads a mapping at position 0, anything else reverts
		at(0xa6, 0): "60003560e01c6370a082311460145760006000fd5b600435600052600060205260406000205460005260206000f3",
		at(0xdd, 0): "60006000fd",
		at(0xee, 0): "00",
	} {
		code, err := hex.DecodeString(program)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Deploy(trondev.Address(address), code); err != nil {
			t.Fatal(err)
		}
	}
	for i := range uint32(owners) {
		owner := trondev.Address(at(0x77, i))
		if err := n.Set(token, owner, big.NewInt(7*int64(i)+3)); err != nil {
			t.Fatal(err)
		}
		if err := n.Set("", owner, big.NewInt((int64(i)+1)*1_000_000)); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// golden reads the replies.
func golden(t testing.TB) map[string]*api.TransactionExtention {
	t.Helper()
	file, err := os.Open("testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	replies := map[string]*api.TransactionExtention{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if fields[0] != "GOLDEN" {
			continue
		}
		raw, err := hex.DecodeString(strings.TrimPrefix(fields[3], "hex="))
		if err != nil {
			t.Fatal(err)
		}
		reply := &api.TransactionExtention{}
		if err := proto.Unmarshal(raw, reply); err != nil {
			t.Fatal(err)
		}
		replies[fields[1]] = reply
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return replies
}

// nobody is who the requests come from.
var nobody = append([]byte{0x41}, make([]byte, 20)...)

// scannerProgram is how long the scanner's code is; the caps on calls, eight bytes, and the rows follow.
const scannerProgram = 0x155

// scan is the scanner over rows of one token, or of the coin when the token is zero.
func scan(t testing.TB, token [20]byte, rows int) *core.TriggerSmartContract {
	t.Helper()
	mix := request(t, golden(t)["scanner-mix-revert"]).Data
	input := append([]byte{}, mix[:scannerProgram+8]...)
	input = binary.BigEndian.AppendUint16(input, uint16(rows))
	input = append(input, token[:]...)
	for i := range uint32(rows) {
		owner := at(0x77, i)
		input = append(input, owner[:]...)
	}
	return &core.TriggerSmartContract{OwnerAddress: nobody, Data: input}
}

// request is what the client asked: nine replies echo it.
func request(t testing.TB, reply *api.TransactionExtention) *core.TriggerSmartContract {
	t.Helper()
	contract := reply.Transaction.RawData.Contract[0]
	asked := &core.TriggerSmartContract{}
	if contract.Type == core.Transaction_Contract_TriggerSmartContract {
		if err := contract.Parameter.UnmarshalTo(asked); err != nil {
			t.Fatal(err)
		}
		return asked
	}
	deployment := &core.CreateSmartContract{}
	if err := contract.Parameter.UnmarshalTo(deployment); err != nil {
		t.Fatal(err)
	}
	return &core.TriggerSmartContract{OwnerAddress: deployment.OwnerAddress, Data: deployment.NewContract.Bytecode}
}

// masked is a reply without what two nodes never share: the time it was made at, its id, the energy prices, and of internal
// transactions the hash and the address of the contract that never was. That they are there, and how long they are, stays.
func masked(reply *api.TransactionExtention) *api.TransactionExtention {
	reply = proto.CloneOf(reply)
	if reply.Transaction != nil {
		reply.Transaction.RawData.Timestamp = 0
	}
	reply.Txid = make([]byte, len(reply.Txid))
	reply.EnergyUsed = 0
	for _, call := range reply.InternalTransactions {
		call.Hash = make([]byte, len(call.Hash))
		call.CallerAddress = make([]byte, len(call.CallerAddress))
	}
	return reply
}
