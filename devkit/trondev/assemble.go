package trondev

import (
	"fmt"

	"github.com/ethereum/go-ethereum/core/vm"
)

// label marks a place in a program, target pushes it.
type (
	label  string
	target string
)

// assemble makes a program of less than 256 bytes: operations, bytes to push, labels and targets.
func assemble(parts ...any) ([]byte, error) {
	var out []byte
	places := map[label]int{}
	holes := map[int]target{}
	for _, part := range parts {
		switch p := part.(type) {
		case vm.OpCode:
			out = append(out, byte(p))
		case int: // one byte
			out = append(out, byte(vm.PUSH1), byte(p))
		case []byte: // up to 32
			out = append(out, byte(vm.PUSH1)+byte(len(p)-1))
			out = append(out, p...)
		case label:
			places[p] = len(out)
			out = append(out, byte(vm.JUMPDEST))
		case target:
			out = append(out, byte(vm.PUSH1), 0)
			holes[len(out)-1] = p
		default:
			return nil, fmt.Errorf("assemble: what is %T", part)
		}
	}
	for at, t := range holes {
		place, ok := places[label(t)]
		if !ok || place > 255 {
			return nil, fmt.Errorf("assemble: label %s is at %d", t, place)
		}
		out[at] = byte(place)
	}
	return out, nil
}
