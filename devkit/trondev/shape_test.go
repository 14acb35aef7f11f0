package trondev_test

import (
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

// The rules that clients rely on, asked of the node at TRON_CONFORMANCE_ADDR (host:port, without TLS) if that is set, else of
// the stand-in. No rule needs a contract or a wallet to be there.
func TestRepliesHaveTheShapeOfARealNodes(t *testing.T) {
	address := os.Getenv("TRON_CONFORMANCE_ADDR")
	if address == "" {
		address = start(t, trondev.Config{Chain: 5, Wallets: 1, SolidLag: 3, CPU: time.Millisecond}).URL()
	}
	c := dial(t, address)
	stranger := address21([20]byte{0x5b, 0xe1, 0x0b, 0x60, 0x05, 0x11, 19: 0x77})
	ask := map[string]struct {
		request *core.TriggerSmartContract
		check   func(t *testing.T, reply *api.TransactionExtention)
	}{
		"a contract that is not there":   {&core.TriggerSmartContract{ContractAddress: stranger, Data: []byte{1, 2, 3, 4}}, isNotThere},
		"bytes that are no address":      {&core.TriggerSmartContract{ContractAddress: []byte{0x41, 1, 2}, Data: []byte{1, 2, 3, 4}}, isNotThere},
		"no code at all":                 {&core.TriggerSmartContract{}, hasReturned("")},
		"a constructor that stops":       {&core.TriggerSmartContract{Data: code("00")}, hasReturned("")},
		"a constructor that returns":     {&core.TriggerSmartContract{Data: code("602a60005260206000f3")}, hasReturned(strings.Repeat("00", 31) + "2a")},
		"a constructor that reverts":     {&core.TriggerSmartContract{Data: code("602a60005260206000fd")}, hasReverted(strings.Repeat("00", 31) + "2a")},
		"a constructor without a word":   {&core.TriggerSmartContract{Data: code("60006000fd")}, hasReverted("")},
		"gas limit and difficulty are 0": {&core.TriggerSmartContract{Data: code("45441760005260206000fd")}, hasReverted(strings.Repeat("00", 32))},
		"an operation that is none":      {&core.TriggerSmartContract{Data: code("fe")}, hasThrown("IllegalOperationException : Invalid operation code: opCode[fe];", "")},
		"a contract that begins with ef": {&core.TriggerSmartContract{Data: code("60ef60005360016000f3")}, hasThrown("InvalidCodeException : invalid code: must not begin with 0xef", "")},
		"a loop without an end":          {&core.TriggerSmartContract{Data: code("5b600056")}, hasThrown("OutOfTimeException : CPU timeout for '", "' operation executing")},
	}
	for name, q := range ask {
		q.request.OwnerAddress = nobody
		t.Run(name, func(t *testing.T) {
			head, err := c.head.TriggerConstantContract(t.Context(), q.request)
			if err != nil {
				t.Fatal(err)
			}
			q.check(t, head)
			solid, err := c.solid.TriggerConstantContract(t.Context(), q.request)
			if err != nil {
				t.Fatal(err)
			}
			q.check(t, solid)
		})
	}
	for name, address := range map[string][]byte{"stranger": stranger, "other prefix": append([]byte{0xa0}, stranger[1:]...), "short": stranger[:20], "empty": nil} {
		for service, get := range map[string]func() (*core.Account, error){
			"Wallet":         func() (*core.Account, error) { return c.head.GetAccount(t.Context(), &core.Account{Address: address}) },
			"WalletSolidity": func() (*core.Account, error) { return c.solid.GetAccount(t.Context(), &core.Account{Address: address}) },
		} {
			if a, err := get(); err != nil || proto.Size(a) != 0 {
				t.Errorf("%s: account of %s: %v, %v; want a message of no bytes", service, name, a, err)
			}
		}
	}
	genesis, err := c.solid.GetBlock(t.Context(), &api.BlockReq{IdOrNum: "0"})
	if err != nil {
		t.Fatal(err)
	}
	if genesis.GetBlockHeader().GetRawData().GetNumber() != 0 || len(genesis.Blockid) != 32 || new(big.Int).SetBytes(genesis.Blockid[:8]).Sign() != 0 {
		t.Fatalf("block 0: %v", genesis)
	}
	chainID, err := c.solid.TriggerConstantContract(t.Context(), &core.TriggerSmartContract{OwnerAddress: nobody, Data: code("4660005260206000fd")})
	if err != nil || len(chainID.ConstantResult) != 1 || string(chainID.ConstantResult[0][28:]) != string(genesis.Blockid[28:]) {
		t.Errorf("chain id: %v, %v; want the end of %x", chainID, err, genesis.Blockid)
	}
	newest, err := c.head.GetBlock(t.Context(), &api.BlockReq{})
	if err != nil {
		t.Fatal(err)
	}
	solid, err := c.solid.GetBlock(t.Context(), &api.BlockReq{})
	if err != nil {
		t.Fatal(err)
	}
	if newest.BlockHeader.RawData.Number < solid.BlockHeader.RawData.Number {
		t.Errorf("the head %d is below the solid block %d", newest.BlockHeader.RawData.Number, solid.BlockHeader.RawData.Number)
	}
}

// isNotThere: no run, and nothing of one.
func isNotThere(t *testing.T, reply *api.TransactionExtention) {
	t.Helper()
	r := reply.Result
	if r.Result || r.Code != api.Return_CONTRACT_VALIDATE_ERROR || string(r.Message) != "Contract validate error : Smart contract is not exist." {
		t.Errorf("result = %v", r)
	}
	hasNothing(t, reply)
}

// hasThrown: a run that gives nothing but its exception.
func hasThrown(begin, end string) func(*testing.T, *api.TransactionExtention) {
	return func(t *testing.T, reply *api.TransactionExtention) {
		t.Helper()
		r, text := reply.Result, string(reply.Result.Message)
		if r.Result || r.Code != api.Return_CONTRACT_EXE_ERROR || !strings.HasPrefix(text, "class org.tron.core.vm.program.Program$"+begin) || !strings.HasSuffix(text, end) {
			t.Errorf("result = %v", r)
		}
		hasNothing(t, reply)
	}
}

func hasNothing(t *testing.T, reply *api.TransactionExtention) {
	t.Helper()
	if reply.Transaction != nil || len(reply.Txid) > 0 || len(reply.ConstantResult) > 0 {
		t.Errorf("there is more than a result: %v", reply)
	}
}

func hasReturned(output string) func(*testing.T, *api.TransactionExtention) {
	return func(t *testing.T, reply *api.TransactionExtention) {
		t.Helper()
		hasRun(t, reply, output, "", core.Transaction_Result_SUCESS)
	}
}

func hasReverted(output string) func(*testing.T, *api.TransactionExtention) {
	return func(t *testing.T, reply *api.TransactionExtention) {
		t.Helper()
		hasRun(t, reply, output, "REVERT opcode executed", core.Transaction_Result_FAILED)
	}
}

// hasRun: a success for java-tron, and exactly one element of result, be it empty.
func hasRun(t *testing.T, reply *api.TransactionExtention, output, message string, ret core.Transaction_ResultCode) {
	t.Helper()
	r := reply.Result
	if !r.Result || r.Code != api.Return_SUCCESS || string(r.Message) != message {
		t.Errorf("result = %v", r)
	}
	if len(reply.ConstantResult) != 1 || string(reply.ConstantResult[0]) != string(code(output)) {
		t.Errorf("constant_result = %x, want one element %s", reply.ConstantResult, output)
	}
	if len(reply.Transaction.GetRet()) != 1 || reply.Transaction.Ret[0].Ret != ret || len(reply.Txid) != 32 {
		t.Errorf("ret = %v, txid %x", reply.Transaction.GetRet(), reply.Txid)
	}
	raw := reply.Transaction.RawData
	if raw.Expiration == 0 || len(raw.RefBlockBytes) != 2 || len(raw.RefBlockHash) != 8 {
		t.Errorf("raw data = %v", raw)
	}
	if c := raw.Contract[0]; c.Type != core.Transaction_Contract_CreateSmartContract || c.Parameter.TypeUrl != "type.googleapis.com/protocol.CreateSmartContract" {
		t.Errorf("contract = %v", c)
	}
}
