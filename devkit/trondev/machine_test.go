package trondev_test

import (
	"bytes"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/trondev"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
)

func TestAMachineSeesTheBlockThatItsViewStandsAt(t *testing.T) {
	n := start(t, trondev.Config{Chain: 9, Wallets: 2, SolidLag: 2})
	c := dial(t, n.URL())
	commit(t, n, 1)
	parent, err := c.solid.GetBlock(t.Context(), &api.BlockReq{IdOrNum: big.NewInt(n.Solid() - 1).String()})
	if err != nil {
		t.Fatal(err)
	}
	block, err := c.solid.GetBlock(t.Context(), &api.BlockReq{})
	if err != nil {
		t.Fatal(err)
	}
	for name, q := range map[string]struct {
		program string
		want    *big.Int
	}{
		"NUMBER":    {"43", big.NewInt(n.Solid())},
		"TIMESTAMP": {"42", big.NewInt(block.BlockHeader.RawData.Timestamp / 1000)},
		"BLOCKHASH": {"6001430340", new(big.Int).SetBytes(parent.Blockid)},
		"of itself": {"4340", new(big.Int)},
		"BASEFEE":   {"48", big.NewInt(210)},
		"BALANCE":   {"73" + hexText(bytes21(t, n.Wallet(1))[1:]) + "31", truth(t, n, n.Solid(), "", n.Wallet(1))},
		"stranger":  {"73" + strings.Repeat("5b", 20) + "31", new(big.Int)},
	} {
		reply, err := c.solid.TriggerConstantContract(t.Context(), &core.TriggerSmartContract{OwnerAddress: nobody, Data: code(q.program + "60005260206000f3")})
		if have := word(t, reply, err); have.Cmp(q.want) != 0 {
			t.Errorf("%s is %s, want %s", name, have, q.want)
		}
	}
}

func TestATransactionRefersToTheViewThatItWasMadeOn(t *testing.T) {
	n := start(t, trondev.Config{Chain: 9, SolidLag: 2})
	c := dial(t, n.URL())
	commit(t, n, 3)
	block := func(height int64) *api.BlockExtention {
		b, err := c.head.GetBlock(t.Context(), &api.BlockReq{IdOrNum: big.NewInt(height).String()})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	head, err := c.head.TriggerConstantContract(t.Context(), &core.TriggerSmartContract{})
	if err != nil {
		t.Fatal(err)
	}
	solid, err := c.solid.TriggerConstantContract(t.Context(), &core.TriggerSmartContract{})
	if err != nil {
		t.Fatal(err)
	}
	for name, q := range map[string]struct {
		reply  *api.TransactionExtention
		height int64
	}{"head": {head, n.Head()}, "solid": {solid, n.Solid()}} {
		raw := q.reply.Transaction.RawData
		if want := block(q.height).BlockHeader.RawData.Timestamp + 60_000; raw.Expiration != want {
			t.Errorf("%s: expiration %d, want %d", name, raw.Expiration, want)
		}
		if id := block(q.height - 2).Blockid; !bytes.Equal(raw.RefBlockBytes, id[6:8]) || !bytes.Equal(raw.RefBlockHash, id[8:16]) {
			t.Errorf("%s: refers to %x %x, want block %x", name, raw.RefBlockBytes, raw.RefBlockHash, id)
		}
	}
}

func TestWhatAConstantCallWritesIsGone(t *testing.T) {
	n := start(t, trondev.Config{Chain: 9})
	c := dial(t, n.URL())
	at := trondev.Address(at(0x55, 1))
	if err := n.Deploy(at, code("6000546001018060005560005260206000f3")); err != nil { // counts its calls, and says how many
		t.Fatal(err)
	}
	for range 2 {
		reply, err := c.head.TriggerConstantContract(t.Context(), &core.TriggerSmartContract{OwnerAddress: nobody, ContractAddress: bytes21(t, at)})
		if have := word(t, reply, err); have.Int64() != 1 {
			t.Errorf("the contract counts %s calls, want 1", have)
		}
	}
}

func TestAContractsRowWithoutCodeIsANullPointer(t *testing.T) {
	n := start(t, trondev.Config{Chain: 9})
	at := trondev.Address(at(0x55, 1))
	if err := n.Deploy(at, nil); err != nil {
		t.Fatal(err)
	}
	reply, err := dial(t, n.URL()).head.TriggerConstantContract(t.Context(), &core.TriggerSmartContract{ContractAddress: bytes21(t, at)})
	if err != nil || reply.Result.Code != api.Return_CONTRACT_EXE_ERROR || !strings.HasPrefix(string(reply.Result.Message), "class java.lang.NullPointerException : ") {
		t.Errorf("reply = %v, %v", reply, err)
	}
}

func TestEnergyRunsOutInJavaTronsWords(t *testing.T) {
	n := start(t, trondev.Config{Chain: 9, Energy: 100_000, CPU: -1})
	c := dial(t, n.URL())
	for name, q := range map[string]struct{ program, begin, end string }{
		"in a loop":       {"5b600056", "Not enough energy for '", "' operation executing: curInvokeEnergyLimit[100000], curOpEnergy["},
		"for the deposit": {"6103e86000f3", "Not enough energy for 'save just created contract code", "' operation executing: curInvokeEnergyLimit[100000], curOpEnergy[200000], usedEnergy["},
	} {
		reply, err := c.head.TriggerConstantContract(t.Context(), &core.TriggerSmartContract{OwnerAddress: nobody, Data: code(q.program)})
		if err != nil {
			t.Fatal(err)
		}
		text := string(reply.Result.Message)
		if !strings.HasPrefix(text, "class org.tron.core.vm.program.Program$OutOfEnergyException : "+q.begin) || !strings.Contains(text, q.end) {
			t.Errorf("%s: %s", name, text)
		}
		hasNothing(t, reply)
	}
}

func TestAContractMayBeLargerThanOnEthereum(t *testing.T) {
	n := start(t, trondev.Config{Chain: 9})
	reply, err := dial(t, n.URL()).head.TriggerConstantContract(t.Context(), &core.TriggerSmartContract{OwnerAddress: nobody, Data: code("620100006000f3")})
	if err != nil || len(reply.ConstantResult) != 1 || len(reply.ConstantResult[0]) != 1<<16 {
		t.Errorf("reply of %d results, %v, %v", len(reply.GetConstantResult()), reply.GetResult(), err)
	}
}

func TestABatchIsCutOffWhereJavaTronCutsIt(t *testing.T) {
	c := dial(t, goldenNode(t).URL())
	token, coin := at(0xa6, 0), [20]byte{}
	for _, q := range []struct {
		token [20]byte
		rows  int
		fits  bool
	}{{token, 1000, true}, {token, 1300, false}, {token, 2000, false}, {coin, 2000, true}} {
		if have := fits(t, c, q.token, q.rows); have != q.fits {
			t.Errorf("%d rows of %x fit: %v, want %v", q.rows, q.token[:1], have, q.fits)
		}
	}
}

// The meter against java-tron's timings of the scanner: by its time a batch takes between two thirds and three halves of what it took there.
func TestTheTimeOfACallIsThatOfJavaTrons(t *testing.T) {
	token, coin := at(0xa6, 0), [20]byte{}
	for _, q := range []struct {
		token [20]byte
		rows  int
		took  time.Duration
	}{
		{token, 50, 1800 * time.Microsecond}, {token, 200, 8 * time.Millisecond}, {token, 600, 32 * time.Millisecond},
		{token, 1000, 66 * time.Millisecond}, {coin, 200, 2 * time.Millisecond},
	} {
		if fits(t, dial(t, goldenNodeWith(t, q.rows, q.took*2/3).URL()), q.token, q.rows) {
			t.Errorf("%d rows of %x take less than two thirds of %s", q.rows, q.token[:1], q.took)
		}
		if !fits(t, dial(t, goldenNodeWith(t, q.rows, q.took*3/2).URL()), q.token, q.rows) {
			t.Errorf("%d rows of %x take more than three halves of %s", q.rows, q.token[:1], q.took)
		}
	}
}

// fits reports whether a scan of so many rows ends in time.
func fits(t testing.TB, c client, token [20]byte, rows int) bool {
	t.Helper()
	reply, err := c.solid.TriggerConstantContract(t.Context(), scan(t, token, rows))
	if err != nil {
		t.Fatal(err)
	}
	if !reply.Result.Result && !strings.Contains(string(reply.Result.Message), "OutOfTimeException") {
		t.Fatalf("result = %v", reply.Result)
	}
	return reply.Result.Result
}

func TestTheTimeOfACallCanBeMeasuredAndUnlimited(t *testing.T) {
	loop := &core.TriggerSmartContract{OwnerAddress: nobody, Data: code("5b600056")}
	for name, q := range map[string]struct {
		cfg  trondev.Config
		want string
	}{
		"measured":  {trondev.Config{Chain: 9, WallClock: true, CPU: time.Millisecond}, "OutOfTimeException"},
		"unlimited": {trondev.Config{Chain: 9, Energy: 10_000, CPU: -1}, "OutOfEnergyException"},
	} {
		reply, err := dial(t, start(t, q.cfg).URL()).head.TriggerConstantContract(t.Context(), loop)
		if err != nil || !strings.Contains(string(reply.Result.Message), q.want) {
			t.Errorf("%s: %v, %v; want %s", name, reply, err, q.want)
		}
	}
}
