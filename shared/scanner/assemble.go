package scanner

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// opcodes are those that the program uses; DUPn and SWAPn are counted out. None is younger than Istanbul, so that the
// program runs on chains without PUSH0 (and on TRON, where it depends on a proposal).
const opcodes = `ADD 01 MUL 02 SUB 03 LT 10 GT 11 ISZERO 15 AND 16 OR 17 SHL 1b SHR 1c
	BALANCE 31 CALLDATALOAD 35 CALLDATASIZE 36 CODESIZE 38 CODECOPY 39 EXTCODESIZE 3b RETURNDATASIZE 3d
	BLOCKHASH 40 TIMESTAMP 42 NUMBER 43 CHAINID 46
	POP 50 MLOAD 51 MSTORE 52 MSTORE8 53 JUMP 56 JUMPI 57 GAS 5a JUMPDEST 5b RETURN f3 STATICCALL fa REVERT fd`

// assembly is code on its way: what is out already, where the labels are, and which places wait for one.
type assembly struct {
	code   []byte
	ops    map[string]byte
	labels map[string]int
	waits  map[int]string // offset of a PUSH2's operand: the label that goes there
}

// assemble turns a source into bytecode. A source is words; ";" begins a comment that ends with the line.
//
//	MSTORE     that opcode
//	42 0x2a    push of the number, in as few bytes as hold it
//	row:       a jump target of that name
//	row=       the name of this place, without a target: what follows is not run
//	@row       push of the place of a name
//	%name      the words that macros gives for the name
func assemble(source string, macros map[string]string) ([]byte, error) {
	a := assembly{ops: map[string]byte{}, labels: map[string]int{}, waits: map[int]string{}}
	table := strings.Fields(opcodes)
	for i := 0; i < len(table); i += 2 {
		op, err := strconv.ParseUint(table[i+1], 16, 8)
		if err != nil {
			return nil, fmt.Errorf("read opcode %s: %w", table[i], err)
		}
		a.ops[table[i]] = byte(op)
	}
	for line := range strings.Lines(source) {
		line, _, _ = strings.Cut(line, ";")
		for _, word := range strings.Fields(line) {
			words := word
			if name, isMacro := strings.CutPrefix(word, "%"); isMacro {
				var known bool
				if words, known = macros[name]; !known {
					return nil, fmt.Errorf("unknown macro %s", name)
				}
			}
			for _, w := range strings.Fields(words) {
				if err := a.add(w); err != nil {
					return nil, err
				}
			}
		}
	}
	for at, name := range a.waits {
		place, known := a.labels[name]
		if !known {
			return nil, fmt.Errorf("unknown label %s", name)
		}
		binary.BigEndian.PutUint16(a.code[at:], uint16(place))
	}
	if len(a.code) > 1<<16-1 {
		return nil, fmt.Errorf("program of %d bytes is out of a label's reach", len(a.code))
	}
	return a.code, nil
}

// add assembles one word.
func (a *assembly) add(word string) error {
	name, last := word[:len(word)-1], word[len(word)-1]
	if last == ':' || last == '=' {
		if _, twice := a.labels[name]; twice {
			return fmt.Errorf("label %s is there twice", name)
		}
		a.labels[name] = len(a.code)
		if last == ':' {
			a.code = append(a.code, a.ops["JUMPDEST"])
		}
		return nil
	}
	if label, found := strings.CutPrefix(word, "@"); found {
		a.waits[len(a.code)+1] = label
		a.code = append(a.code, 0x61, 0, 0)
		return nil
	}
	if op, found := a.ops[word]; found {
		a.code = append(a.code, op)
		return nil
	}
	for prefix, before := range map[string]byte{"DUP": 0x7f, "SWAP": 0x8f} {
		if digits, found := strings.CutPrefix(word, prefix); found {
			n, err := strconv.Atoi(digits)
			if err != nil || n < 1 || n > 16 {
				return fmt.Errorf("unknown word %s", word)
			}
			a.code = append(a.code, before+byte(n))
			return nil
		}
	}
	value, ok := new(big.Int).SetString(word, 0)
	if !ok || value.Sign() < 0 || value.BitLen() > 256 {
		return fmt.Errorf("unknown word %s", word)
	}
	digits := value.Bytes()
	if len(digits) == 0 {
		digits = []byte{0}
	}
	a.code = append(append(a.code, 0x5f+byte(len(digits))), digits...)
	return nil
}
