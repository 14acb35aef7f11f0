package scanner_test

import (
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/core/vm/program"
)

// code begins a contract. It is put together by go-ethereum's builder, not by the assembler under test.
func code() *program.Program { return program.New() }

// revertUnless reverts unless the top of the stack is true.
func revertUnless(p *program.Program) *program.Program {
	p, _ = p.Push(p.Size() + 8).Op(vm.JUMPI).Push(0).Push(0).Op(vm.REVERT).Jumpdest()
	return p
}

// returns answers every call with size bytes, the first of which hold the word.
func returns(word any, size int) []byte {
	return code().Push(word).Push(0).Op(vm.MSTORE).Return(0, size).Bytes()
}

// reverts answers every call with a revert of so many bytes.
func reverts(size int) []byte { return code().Push(size).Push(0).Op(vm.REVERT).Bytes() }

// arbBlockNumber is an ArbSys that gives a height for arbBlockNumber() and reverts on any other question.
func arbBlockNumber(height uint64) []byte {
	asked := code().Push(0).Op(vm.CALLDATALOAD).Push(224).Op(vm.SHR).Push(0xa3b1b31d).Op(vm.EQ)
	return revertUnless(asked).Append(returns(height, 32)).Bytes()
}

// loops never ends.
func loops() []byte {
	p, start := code().Jumpdest()
	return p.Jump(start).Bytes()
}

// delegatesToItself calls itself until the gas is nearly gone, then gives on what came of it.
func delegatesToItself() []byte {
	p := code().Push(0).Push(0).Push(36).Push(0).Op(vm.ADDRESS, vm.GAS, vm.DELEGATECALL)
	return revertUnless(p).Return(0, 32).Bytes()
}

// returnsWhatItsGasBuys answers 5 and as much memory after it as roughly half of its gas pays for.
func returnsWhatItsGasBuys() []byte {
	// 3 w + w²/512 gas for w words: with w = gas/32 words, 300,000 gas buy 9,375 words, 300 KB, for 200,000.
	return code().Push(5).Push(0).Op(vm.MSTORE).Op(vm.GAS).Push(0).Op(vm.RETURN).Bytes()
}

// heavy answers 42, and reverts unless it is given all of callGas but what its first steps cost. It burns some five sixths of
// 300,000 gas, by memory, so that a test of many budgets is quick.
func heavy(callGas uint32) []byte {
	p := revertUnless(code().Push(callGas-10).Op(vm.GAS, vm.GT))
	return p.Push(1).Push(10_500 * 32).Op(vm.MSTORE).Append(returns(42, 32)).Bytes()
}
