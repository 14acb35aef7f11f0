package scanner

import (
	_ "embed"
	"fmt"
)

// Form is one of the shapes that the program comes in, all with the same input and output.
type Form int

// The forms. A constructor form is initcode: the input is appended to it, and a call without a recipient runs it
// (eth_call without "to", TriggerConstantContract with an empty contract address).
const (
	// Calldata is runtime code. It is set at [OverrideAddress] by a state override and takes the input as calldata.
	Calldata Form = iota
	// CalldataArbitrum is Calldata for chains where NUMBER is another chain's: the height comes from ArbSys, and no
	// parent is attested.
	CalldataArbitrum
	// Constructor gives its answer as the code to deploy. A node charges for that code (see [FloorDeposit]) and takes
	// no more than 24,576 bytes of it.
	Constructor
	// ConstructorRevert gives its answer as revert data: nothing to pay, no limit, but some gateways drop it.
	ConstructorRevert
	// ConstructorArbitrum is to Constructor what CalldataArbitrum is to Calldata.
	ConstructorArbitrum
)

// source is the program that all forms share.
//
//go:embed program.asm
var source string

// arbitrum asks ArbSys for arbBlockNumber() and leaves the height where the header will be: 0, which no decoder takes,
// when there is no such contract. It runs before any balance is read, so that no value is older than its height.
const arbitrum = ` 0xa3b1b31d 224 SHL 0x40 MSTORE
	32 0x40 4 0x40 0x64 50000 STATICCALL
	31 RETURNDATASIZE GT AND 0x40 MLOAD MUL `

// macros are the words in which the forms differ.
func (f Form) macros() (map[string]string, error) {
	m := map[string]string{
		"load": "CALLDATALOAD", "size": "CALLDATASIZE", "base": "0x80", "start": "0xc0",
		"height": "NUMBER", "parent": "1 NUMBER SUB BLOCKHASH", "finish": "RETURN",
	}
	if f == Constructor || f == ConstructorRevert || f == ConstructorArbitrum {
		// One copy of the input to 0x80, since TRON clones the whole code at every CODECOPY. The header follows it, a
		// word apart at least: a load at the input's end reads past it.
		const size = "@end CODESIZE SUB"
		m["load"], m["size"], m["base"] = "0x80 ADD MLOAD", size, "0x60 MLOAD"
		m["start"] = size + " @end 0x80 CODECOPY " + size + " 0x80 ADD 64 ADD DUP1 0x60 MSTORE 64 ADD"
	}
	switch f {
	case Calldata, Constructor:
	case ConstructorRevert:
		m["finish"] = "REVERT"
	case CalldataArbitrum, ConstructorArbitrum:
		m["start"] += arbitrum + m["base"] + " MSTORE"
		m["height"], m["parent"] = m["base"]+" MLOAD", "0"
	default:
		return nil, fmt.Errorf("unknown form %d of the scanner", f)
	}
	return m, nil
}

// Program assembles the program in a form. It is the caller's to keep: assembling costs some 20 microseconds, and the
// bytes of a form never change within a version. It panics on a form that is not one of the constants.
func Program(f Form) []byte {
	macros, err := f.macros()
	if err != nil {
		panic(err)
	}
	code, err := assemble(source, macros)
	if err != nil {
		panic(fmt.Errorf("assemble scanner: %w", err))
	}
	return code
}

// OverrideAddress is where the calldata forms are put by a state override: 0xa1ac582c738ffc59503924436d3cb415156929a9.
// It is the first 20 bytes of SHA-256("balance-sync scanner"), so nobody holds a key for it; it is no precompile, and
// never a token of ours ([Token] refuses it: under the override the scanner itself would answer for it).
func OverrideAddress() Address {
	return Address{0xa1, 0xac, 0x58, 0x2c, 0x73, 0x8f, 0xfc, 0x59, 0x50, 0x39, 0x24, 0x43, 0x6d, 0x3c, 0xb4, 0x15, 0x15, 0x69, 0x29, 0xa9}
}
