package trondev

import (
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/core/vm"
)

// exception is what java-tron calls the end of a call that neither returned nor reverted.
type exception struct{ class, message string }

// Error is the text that the reply carries.
func (e exception) Error() string { return "class " + e.class + " : " + e.message }

// program is where the machine's exceptions live.
const program = "org.tron.core.vm.program.Program$"

// noProgram is what a contract without code ends in.
var noProgram = exception{"java.lang.NullPointerException", "null"}

func outOfEnergy(what string, limit, cost, used uint64) exception {
	return exception{program + "OutOfEnergyException", fmt.Sprintf(
		"Not enough energy for '%s' operation executing: curInvokeEnergyLimit[%d], curOpEnergy[%d], usedEnergy[%d]", what, limit, cost, used)}
}

// translate says in java-tron's words why the outermost frame failed.
func (r *run) translate(err error) exception {
	var opcode *vm.ErrInvalidOpCode
	var small *vm.ErrStackUnderflow
	switch {
	case errors.Is(err, vm.ErrOutOfGas), errors.Is(err, vm.ErrGasUintOverflow):
		return outOfEnergy(name(r.failed), r.limit, r.cost, r.limit-r.left)
	case errors.As(err, &opcode):
		return exception{program + "IllegalOperationException", fmt.Sprintf("Invalid operation code: opCode[%02x];", byte(r.failed))}
	case errors.Is(err, vm.ErrInvalidJump):
		return exception{program + "BadJumpDestinationException", fmt.Sprintf("Operation with pc isn't 'JUMPDEST': PC[%d];", r.pc)}
	case errors.As(err, &small):
		return exception{program + "StackTooSmallException", fmt.Sprintf("Expected stack size %d but actual %d;", r.stackSize+1, r.stackSize)}
	}
	return exception{program + "BytecodeExecutionException", err.Error()}
}

// name is what java-tron calls an operation where go-ethereum calls it differently.
func name(op vm.OpCode) string {
	switch op {
	case vm.KECCAK256:
		return "SHA3"
	case vm.INVALID:
		return "INVALID"
	}
	return op.String()
}
