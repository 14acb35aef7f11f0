package scanner_test

import (
	"encoding/binary"
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/balance-sync/balance-sync/shared/scanner"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/core/vm/runtime"
	"github.com/ethereum/go-ethereum/params"
	"github.com/holiman/uint256"
)

// Where the scans of these tests run.
const (
	chainID   = 56
	height    = 70_000_000
	blockTime = 1_750_000_000
	budget    = 50_000_000 // a node's usual gas cap
)

// machine is go-ethereum's EVM over a state of its own.
type machine struct {
	t     testing.TB
	state *state.StateDB
	rules params.ChainConfig
}

func newMachine(t testing.TB) *machine {
	t.Helper()
	db, err := state.New(types.EmptyRootHash, state.NewDatabaseForTesting())
	if err != nil {
		t.Fatal(err)
	}
	rules := *params.MergedTestChainConfig
	rules.ChainID = big.NewInt(chainID)
	return &machine{t: t, state: db, rules: rules}
}

// parentOf is the hash of a block.
func hashOf(number uint64) common.Hash {
	var h common.Hash
	binary.BigEndian.PutUint64(h[:], number)
	h[31] = 0x99
	return h
}

// fund gives an address a native balance.
func (m *machine) fund(address scanner.Address, amount *uint256.Int) {
	m.state.SetBalance(address, amount, tracing.BalanceChangeUnspecified)
}

// deploy puts code at an address.
func (m *machine) deploy(address scanner.Address, code []byte) {
	m.state.SetCode(address, code, tracing.CodeChangeUnspecified)
}

// run gives what a node would answer to a call of the form with an input, and the error of the whole call.
func (m *machine) run(form scanner.Form, input []byte, gas uint64) ([]byte, error) {
	m.t.Helper()
	cfg := &runtime.Config{
		ChainConfig: &m.rules, State: m.state.Copy(), GasLimit: gas, BlockNumber: big.NewInt(height), Time: blockTime, GetHashFn: hashOf,
	}
	code := scanner.Program(form)
	if form == scanner.Calldata || form == scanner.CalldataArbitrum {
		cfg.State.SetCode(scanner.OverrideAddress(), code, tracing.CodeChangeUnspecified)
		out, _, err := runtime.Call(scanner.OverrideAddress(), input, cfg)
		return out, err
	}
	out, _, _, err := runtime.Create(append(code, input...), cfg)
	if form == scanner.ConstructorRevert {
		if !errors.Is(err, vm.ErrExecutionReverted) {
			return nil, errors.Join(err, errors.New("the revert form did not revert"))
		}
		err = nil
	}
	return out, err
}

// scan runs a form and decodes its answer.
func (m *machine) scan(form scanner.Form, callGas uint32, groups ...scanner.Group) scanner.Answer {
	m.t.Helper()
	data, err := m.run(form, encode(m.t, callGas, groups...), budget)
	if err != nil {
		m.t.Fatalf("run form %d: %v", form, err)
	}
	answer, err := scanner.Decode(data, scanner.Rows(groups))
	if err != nil {
		m.t.Fatalf("%v in %x", err, data)
	}
	return answer
}

// arbSys is what stands in for ArbSys at 0x64: it answers arbBlockNumber() with height, and any other question with a revert.
func (m *machine) arbSys(code []byte) { m.deploy(common.HexToAddress("0x64"), code) }

// amounts are the balances at which the program's encoding changes.
func amounts() []*uint256.Int {
	power := func(n uint) *uint256.Int { return new(uint256.Int).Lsh(uint256.NewInt(1), n) }
	less := func(v *uint256.Int) *uint256.Int { return new(uint256.Int).SubUint64(v, 1) }
	return []*uint256.Int{
		uint256.NewInt(0), uint256.NewInt(1), uint256.NewInt(255), less(power(64)), power(64), less(power(96)), power(96),
		power(255), new(uint256.Int).SetAllOne(),
	}
}

// ledger is a token: its balances are its storage, by wallet.
func (m *machine) ledger(address scanner.Address, wallets []scanner.Address, amounts []*uint256.Int) {
	m.deploy(address, code().Push(4).Op(vm.CALLDATALOAD, vm.SLOAD).Push(0).Op(vm.MSTORE).Return(0, 32).Bytes())
	for i, amount := range amounts {
		m.state.SetState(address, common.BytesToHash(wallets[i][:]), amount.Bytes32())
	}
}

func TestEveryFormReadsEveryKindOfBalanceNativeAndToken(t *testing.T) {
	values := amounts()
	wallets := holders(len(values))
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.arbSys(arbBlockNumber(height))
			m.ledger(contract(0xa6), wallets, values)
			var want []string
			for i, v := range values {
				m.fund(wallets[i], v)
				want = append(want, v.Dec())
			}
			reversed := slices.Clone(wallets)
			slices.Reverse(reversed)
			answer := m.scan(form, 300_000, scanner.Native(wallets), mustToken(t, contract(0xa6), wallets), scanner.Native(wallets[:1]), mustToken(t, contract(0xa6), reversed))
			wanted := slices.Concat(want, want, want[:1], backwards(want))
			if got := rows(answer); !slices.Equal(got, wanted) {
				t.Errorf("rows\n%q, want\n%q", got, wanted)
			}
			parent := hashOf(height - 1)
			if form == scanner.CalldataArbitrum || form == scanner.ConstructorArbitrum {
				parent = common.Hash{}
			}
			if answer.ChainID != chainID || answer.Height != height || answer.Time != blockTime || answer.Parent != parent || answer.Processed != len(wanted) {
				t.Errorf("header %+v", answer)
			}
		})
	}
}

func backwards(s []string) []string {
	s = slices.Clone(s)
	slices.Reverse(s)
	return s
}
