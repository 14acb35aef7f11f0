package trondev

import (
	"bytes"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/vm"
)

var (
	balanceOf  = []byte{0x70, 0xa0, 0x82, 0x31}
	decimalsOf = []byte{0x31, 0x3c, 0xe5, 0x67}
	kilobytes  = []byte{0x01, 0x00, 0x00} // 64
)

// selector leaves the first four bytes of the input on the stack.
var selector = []any{0, vm.CALLDATALOAD, 0xe0, vm.SHR}

// lookUp leaves the balance of the wallet that the input names on the stack: the entry of a mapping at position 0.
var lookUp = []any{4, vm.CALLDATALOAD, 0, vm.MSTORE, 0, 0x20, vm.MSTORE, 0x40, 0, vm.KECCAK256, vm.SLOAD}

// token answers balanceOf and decimals, and reverts on anything else, as a compiled TRC-20 does.
func token(decimals int) []any {
	return join(selector,
		vm.DUP1, balanceOf, vm.EQ, target("balance"), vm.JUMPI,
		decimalsOf, vm.EQ, target("decimals"), vm.JUMPI,
		0, 0, vm.REVERT,
		label("balance"), lookUp, 0, vm.MSTORE, 0x20, 0, vm.RETURN,
		label("decimals"), decimals, 0, vm.MSTORE, 0x20, 0, vm.RETURN,
	)
}

// twoWords answers with the balance and a second word; by the ABI's rule the first is the answer.
func twoWords() []any {
	return join(lookUp, 0, vm.MSTORE, 9, 0x20, vm.MSTORE, 0x40, 0, vm.RETURN)
}

// heavy answers with the balance, after 2,500 hashes.
func heavy() []any {
	return join([]byte{0x09, 0xc4}, label("again"),
		0x20, 0, vm.KECCAK256, 0, vm.MSTORE,
		1, vm.SWAP1, vm.SUB, vm.DUP1, target("again"), vm.JUMPI,
		lookUp, 0, vm.MSTORE, 0x20, 0, vm.RETURN)
}

// proxy runs another contract's program on its own storage.
func proxy(implementation common.Address) []any {
	return join(vm.CALLDATASIZE, 0, 0, vm.CALLDATACOPY,
		0, 0, vm.CALLDATASIZE, 0, implementation.Bytes(), vm.GAS, vm.DELEGATECALL,
		vm.RETURNDATASIZE, 0, 0, vm.RETURNDATACOPY,
		target("ok"), vm.JUMPI, vm.RETURNDATASIZE, 0, vm.REVERT,
		label("ok"), vm.RETURNDATASIZE, 0, vm.RETURN)
}

// The programs that have no balance.
var (
	reverts        = []any{0, 0, vm.REVERT}
	returnsNothing = []any{vm.STOP}
	returns31Bytes = []any{bytes.Repeat([]byte{0xff}, 32), 0, vm.MSTORE, 31, 0, vm.RETURN}
	energyLoop     = []any{label("again"), kilobytes, 0, vm.KECCAK256, vm.POP, target("again"), vm.JUMP} // costly in TRON's time, and not in ours
	revertBomb     = []any{kilobytes, 0, vm.REVERT}
	invalidOpcode  = []any{vm.INVALID}
)

// join makes one list of lists and single parts.
func join(parts ...any) []any {
	var out []any
	for _, part := range parts {
		if list, ok := part.([]any); ok {
			out = append(out, list...)
			continue
		}
		out = append(out, part)
	}
	return out
}
