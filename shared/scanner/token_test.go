package scanner_test

import (
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/core/vm/program"
)

// code begins a contract. It is put together by go-ethereum's builder, not by the assembler under test.
func code() *program.Program { return program.New() }

// arbBlockNumber is an ArbSys that gives a height for arbBlockNumber() and reverts on any other question.
func arbBlockNumber(height uint64) []byte {
	p := code().Push(0).Op(vm.CALLDATALOAD).Push(224).Op(vm.SHR).Push(0xa3b1b31d).Op(vm.EQ)
	p.Push(p.Size() + 2 + 1 + 3 + 2 + 0).Op(vm.JUMPI)
	p.Push(0).Push(0).Op(vm.REVERT)
	p, _ = p.Jumpdest()
	return p.Push(height).Push(0).Op(vm.MSTORE).Return(0, 32).Bytes()
}
