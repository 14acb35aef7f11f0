package fetchertron

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// view is one state of the chain: the solidified one, or the one with the newest block and what is not in a block yet.
type view struct {
	number   int64
	at       time.Time
	balances map[address]int64
	// tokens are contracts: what each returns, per holder. A contract that is here without a holder returns 0.
	tokens map[address]map[address]*big.Int
}

// inquiry is a call of ours as the node sees it; answer makes the reply that the script's views give.
type inquiry struct {
	service, kind string
	in            proto.Message
	answer        func() proto.Message
}

// script is a node that answers from two views and lets a test put in whatever a node may say instead. It answers as java-tron does.
type script struct {
	url      string
	genesis  [32]byte
	requests atomic.Int64
	options  []grpc.ServerOption
	server   *grpc.Server

	mu          sync.Mutex // guards below
	solid, head *view
	hook        func(context.Context, inquiry) (proto.Message, error)
}

func newView(number int64) *view {
	return &view{number: number, at: time.Now(), balances: map[address]int64{}, tokens: map[address]map[address]*big.Int{}}
}

const firstBlock = 70_000_000

// newScript starts a node whose views are 19 blocks apart, with wallets 0 to 199 that have the coin and two tokens.
func newScript(t *testing.T, options ...grpc.ServerOption) *script {
	t.Helper()
	s := &script{solid: newView(firstBlock), head: newView(firstBlock + 19), options: options}
	copy(s.genesis[8:], "the first block of a test")
	for _, v := range []*view{s.solid, s.head} {
		for _, token := range []address{tokenA, tokenB} {
			v.tokens[token] = map[address]*big.Int{}
		}
		for i := range 200 {
			v.balances[holder(i)] = int64(1_000_000 + i)
			v.tokens[tokenA][holder(i)] = big.NewInt(int64(7_000_000 + i))
			v.tokens[tokenB][holder(i)] = new(big.Int).Lsh(big.NewInt(int64(1+i)), 200)
		}
	}
	s.listen(t, "127.0.0.1:0")
	return s
}

// listen serves at an address, again after [script.cut].
func (s *script) listen(t *testing.T, at string) {
	t.Helper()
	listener, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	s.server, s.url = grpc.NewServer(s.options...), "grpc://"+listener.Addr().String()
	api.RegisterWalletSolidityServer(s.server, solidity{s: s})
	api.RegisterWalletServer(s.server, full{s: s})
	server := s.server
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends with Stop
	}()
	t.Cleanup(func() { server.Stop(); <-done })
}

// holder is the i-th wallet, tokenA and tokenB are tokens.
func holder(i int) address {
	a := address{0: prefix, 1: 0xaa, 2: 0x01}
	binary.BigEndian.PutUint32(a[17:], uint32(i))
	return a
}

var (
	tokenA = address{0: prefix, 1: 0xa6, 20: 1}
	tokenB = address{0: prefix, 1: 0xa7, 20: 2}
)

// intercept sets what answers from now on, nil for the script itself.
func (s *script) intercept(hook func(context.Context, inquiry) (proto.Message, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = hook
}

// change edits the views.
func (s *script) change(edit func(solid, head *view)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	edit(s.solid, s.head)
}

// serve answers one call.
func serve[A proto.Message](ctx context.Context, s *script, service, kind string, in proto.Message, answer func(*view) A) (A, error) {
	s.requests.Add(1)
	s.mu.Lock()
	hook, v := s.hook, s.solid
	if service == "Wallet" {
		v = s.head
	}
	s.mu.Unlock()
	var none A
	locked := func() proto.Message {
		s.mu.Lock()
		defer s.mu.Unlock()
		return answer(v)
	}
	if hook == nil {
		return locked().(A), nil
	}
	reply, err := hook(ctx, inquiry{service, kind, in, locked})
	if err != nil {
		return none, err
	}
	return reply.(A), nil
}

// blockOf is a header; the id begins with the number.
func (s *script) blockOf(v *view, in *api.BlockReq) *api.BlockExtention {
	if in.GetIdOrNum() == "0" {
		return &api.BlockExtention{BlockHeader: &core.BlockHeader{RawData: &core.BlockHeaderRaw{}}, Blockid: s.genesis[:]}
	}
	id := make([]byte, 32)
	binary.BigEndian.PutUint64(id, uint64(v.number))
	return &api.BlockExtention{BlockHeader: &core.BlockHeader{RawData: &core.BlockHeaderRaw{Number: v.number, Timestamp: v.at.UnixMilli(), WitnessAddress: holder(0).wire()}}, Blockid: id}
}

// accountOf is an account, or the empty message of one that was never used.
func (v *view) accountOf(in *core.Account) *core.Account {
	if len(in.GetAddress()) != 21 {
		return &core.Account{}
	}
	balance, used := v.balances[address(in.GetAddress())]
	if !used {
		return &core.Account{}
	}
	return &core.Account{Address: in.GetAddress(), Balance: balance}
}

// returns is the reply to a constant call that returned data.
func returns(in *core.TriggerSmartContract, data []byte) *api.TransactionExtention {
	parameter, err := anypb.New(in)
	if err != nil {
		panic(err) // a message of ours
	}
	parameter.TypeUrl = "type.googleapis.com/protocol.TriggerSmartContract"
	return &api.TransactionExtention{Result: &api.Return{Result: true}, ConstantResult: [][]byte{data}, Transaction: &core.Transaction{
		Ret: []*core.Transaction_Result{{}}, RawData: &core.TransactionRaw{Contract: []*core.Transaction_Contract{{Type: core.Transaction_Contract_TriggerSmartContract, Parameter: parameter}}}}}
}

// fails is the reply to a constant call that the node refused.
func fails(code api.ReturnResponseCode, message string) *api.TransactionExtention {
	return &api.TransactionExtention{Result: &api.Return{Code: code, Message: []byte(message)}}
}

// triggerOf is what a token returns.
func (v *view) triggerOf(in *core.TriggerSmartContract) *api.TransactionExtention {
	// This one is from before constructors could be called: it is read by single calls.
	var holders map[address]*big.Int
	if len(in.GetContractAddress()) == len(address{}) {
		holders = v.tokens[address(in.GetContractAddress())]
	}
	if holders == nil {
		return fails(api.Return_CONTRACT_VALIDATE_ERROR, "Contract validate error : Smart contract is not exist.")
	}
	data := in.GetData()
	if len(data) == 4 {
		return returns(in, []byte{31: 6})
	}
	balance := holders[address(append([]byte{prefix}, data[len(data)-20:]...))]
	if balance == nil {
		balance = new(big.Int)
	}
	return returns(in, balance.FillBytes(make([]byte, 32)))
}

// kindOf tells a question for decimals from one for a balance.
func kindOf(in *core.TriggerSmartContract) string {
	if len(in.GetData()) == 4 {
		return "decimals"
	}
	return "constant"
}

// genesisHex is the node's block 0 as it is configured.
func (s *script) genesisHex() string { return hex.EncodeToString(s.genesis[:]) }

type solidity struct {
	api.UnimplementedWalletSolidityServer
	s *script
}

func (x solidity) GetBlock(ctx context.Context, in *api.BlockReq) (*api.BlockExtention, error) {
	return serve(ctx, x.s, "WalletSolidity", "block", in, func(v *view) *api.BlockExtention { return x.s.blockOf(v, in) })
}

func (x solidity) GetAccount(ctx context.Context, in *core.Account) (*core.Account, error) {
	return serve(ctx, x.s, "WalletSolidity", "account", in, func(v *view) *core.Account { return v.accountOf(in) })
}

func (x solidity) TriggerConstantContract(ctx context.Context, in *core.TriggerSmartContract) (*api.TransactionExtention, error) {
	return serve(ctx, x.s, "WalletSolidity", kindOf(in), in, func(v *view) *api.TransactionExtention { return v.triggerOf(in) })
}

type full struct {
	api.UnimplementedWalletServer
	s *script
}

func (x full) GetBlock(ctx context.Context, in *api.BlockReq) (*api.BlockExtention, error) {
	return serve(ctx, x.s, "Wallet", "block", in, func(v *view) *api.BlockExtention { return x.s.blockOf(v, in) })
}

func (x full) GetAccount(ctx context.Context, in *core.Account) (*core.Account, error) {
	return serve(ctx, x.s, "Wallet", "account", in, func(v *view) *core.Account { return v.accountOf(in) })
}

func (x full) TriggerConstantContract(ctx context.Context, in *core.TriggerSmartContract) (*api.TransactionExtention, error) {
	return serve(ctx, x.s, "Wallet", kindOf(in), in, func(v *view) *api.TransactionExtention { return v.triggerOf(in) })
}
