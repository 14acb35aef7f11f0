package trondev

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/holiman/uint256"
)

// run is one constant call under way. The machine tells it of every operation and every call.
type run struct {
	evm   *vm.EVM
	state *state.StateDB
	limit uint64 // energy
	meter meter
	over  string // the operation at which the time was up

	calls []call
	open  []int // the calls that have not ended, outermost first

	// what the outermost frame was about to do when it failed
	failed    vm.OpCode
	left      uint64
	cost      uint64
	stackSize int
	pc        uint64
}

// call is one call that a contract made.
type call struct {
	from, to common.Address
	note     string
	value    *big.Int
	rejected bool
}

// play runs the program at an address to its end. The error is one of this machine's own, never the program's.
func (r *run) play(from, to common.Address, input []byte) (outcome, error) {
	budget := vm.NewGasBudget(r.limit, 0)
	output, left, err := r.evm.Call(from, to, input, budget, new(uint256.Int))
	defer r.evm.Release()
	if fault := r.state.Error(); fault != nil {
		return outcome{}, fmt.Errorf("read state: %w", fault)
	}
	out := outcome{output: common.CopyBytes(output), energy: left.Used(budget), calls: r.calls, err: err}
	switch {
	case r.over != "":
		out.err = exception{program + "OutOfTimeException", "CPU timeout for '" + r.over + "' operation executing"}
	case err != nil && !errors.Is(err, vm.ErrExecutionReverted):
		out.err = r.translate(err)
	}
	return out, nil
}

// step runs before every operation.
func (r *run) step(pc uint64, op byte, gas, cost uint64, scope tracing.OpContext, _ []byte, depth int, err error) {
	if err != nil {
		r.fault(pc, op, gas, cost, scope, depth, err)
	}
	if r.over == "" && r.meter.step(vm.OpCode(op), scope, depth) {
		// The machine halts at its next jump; what it says after that counts for nothing.
		r.over = name(vm.OpCode(op))
		r.evm.Cancel()
	}
}

// fault runs when an operation failed.
func (r *run) fault(pc uint64, op byte, gas, cost uint64, scope tracing.OpContext, depth int, _ error) {
	if depth == 1 {
		r.failed, r.left, r.cost, r.pc, r.stackSize = vm.OpCode(op), gas, cost, pc, len(scope.StackData())
	}
}

// enter runs when a call begins. The outermost one is the request itself.
func (r *run) enter(depth int, kind byte, from, to common.Address, _ []byte, _ uint64, value *big.Int) {
	if depth == 0 {
		return
	}
	note := "call"
	switch vm.OpCode(kind) {
	case vm.CREATE, vm.CREATE2:
		note = "create"
	case vm.SELFDESTRUCT:
		note = "suicide"
	}
	r.open = append(r.open, len(r.calls))
	r.calls = append(r.calls, call{from: from, to: to, note: note, value: value})
}

// exit runs when a call ends. What failed takes the calls with it that it made itself.
func (r *run) exit(depth int, _ []byte, _ uint64, err error, _ bool) {
	if depth == 0 {
		return
	}
	first := r.open[len(r.open)-1]
	r.open = r.open[:len(r.open)-1]
	if err != nil {
		for i := first; i < len(r.calls); i++ {
			r.calls[i].rejected = true
		}
	}
}
