package trondev

import (
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	gethcore "github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"
	"github.com/holiman/uint256"
)

// constructorAt is where an initcode runs. On TRON the address comes from the transaction's id.
var constructorAt = common.BytesToAddress(crypto.Keccak256([]byte("trondev constructor")))

// energyOfByte is what each byte of a deployed contract costs.
const energyOfByte = 200

// sunPerEnergy is what BASEFEE gives.
const sunPerEnergy = 210

// rules are the virtual machine's: those of Istanbul, whose prices do not depend on what was touched before, as TRON's do
// not. PUSH0 is off, as on a network that has not voted for it.
func rules(chainID *big.Int) *params.ChainConfig {
	zero := new(big.Int)
	return &params.ChainConfig{ChainID: chainID, HomesteadBlock: zero, EIP150Block: zero, EIP155Block: zero, EIP158Block: zero,
		ByzantiumBlock: zero, ConstantinopleBlock: zero, PetersburgBlock: zero, IstanbulBlock: zero}
}

// machine runs constant calls.
type machine struct {
	rules  *params.ChainConfig
	energy uint64
	cpu    time.Duration // 0: no limit
	wall   bool          // measure the time and do not meter it
}

// outcome is what a constant call ended in. err is nil, vm.ErrExecutionReverted or an exception.
type outcome struct {
	output []byte
	energy uint64
	calls  []call
	err    error
}

// call runs a contract.
func (m machine) call(v view, from, to common.Address, input []byte) (outcome, error) {
	r, err := m.prepare(v, from)
	if err != nil {
		return outcome{}, err
	}
	return r.play(from, to, input)
}

// construct runs an initcode and gives what it returns, which a deployment would store. It is placed as a contract of its
// own and called, so that go-ethereum's limit on a contract's size does not apply: TRON has none.
func (m machine) construct(v view, from common.Address, initcode []byte) (outcome, error) {
	r, err := m.prepare(v, from)
	if err != nil {
		return outcome{}, err
	}
	r.state.SetCode(constructorAt, initcode, tracing.CodeChangeUnspecified)
	out, err := r.play(from, constructorAt, nil)
	if err != nil || out.err != nil {
		return out, err
	}
	if len(out.output) > 0 && out.output[0] == 0xef {
		out.err = exception{program + "InvalidCodeException", "invalid code: must not begin with 0xef"}
		return out, nil
	}
	deposit := uint64(len(out.output)) * energyOfByte
	if out.energy+deposit > m.energy {
		out.err = outOfEnergy("save just created contract code", m.energy, deposit, out.energy)
	}
	out.energy += deposit
	return out, nil
}

func (m machine) prepare(v view, from common.Address) (*run, error) {
	st, err := v.state()
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	r := &run{state: st, limit: m.energy}
	r.meter = meter{budget: m.cpu, rows: map[common.Address]int{}}
	if m.wall {
		r.meter.began = time.Now()
	}
	block := vm.BlockContext{
		CanTransfer: gethcore.CanTransfer,
		Transfer:    gethcore.Transfer,
		GetHash:     v.id,
		BlockNumber: big.NewInt(v.block.height),
		Time:        uint64(v.block.time / 1000),
		Difficulty:  new(big.Int),
		BaseFee:     big.NewInt(sunPerEnergy),
	}
	hooks := &tracing.Hooks{OnEnter: r.enter, OnExit: r.exit, OnOpcode: r.step, OnFault: r.fault}
	r.evm = vm.NewEVM(block, st, m.rules, vm.Config{Tracer: hooks, ExtraEips: []int{3198}})
	r.evm.SetTxContext(vm.TxContext{Origin: from, GasPrice: new(uint256.Int)})
	return r, nil
}
