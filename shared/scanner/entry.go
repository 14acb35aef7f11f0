package scanner

import (
	"encoding/binary"
	"math/bits"
	"strconv"
)

// Entry is one row of an answer. Only one whose Status is [Read] has a value; there is no way to take 0 out of any other,
// the zero Entry included.
type Entry struct {
	Status Status
	value  [4]uint64 // the most significant first
}

// Value is the balance, big-endian; false when the row has none.
func (e *Entry) Value() ([32]byte, bool) {
	var v [32]byte
	if e.Status.Failed() {
		return v, false
	}
	for i, limb := range e.value {
		binary.BigEndian.PutUint64(v[8*i:], limb)
	}
	return v, true
}

// AppendDecimal appends the balance in decimal, without leading zeros, and reports true; a row that has none leaves dst
// as it is and reports false. It allocates nothing when dst has room for 78 digits.
func (e *Entry) AppendDecimal(dst []byte) ([]byte, bool) {
	if e.Status.Failed() {
		return dst, false
	}
	// Nineteen digits at a time, the lowest first: 10^19 is the largest power of ten in 64 bits.
	const digits, base = 19, 10_000_000_000_000_000_000
	var parts [5]uint64
	v, used := e.value, 0
	for first := 0; ; used++ {
		for first < len(v) && v[first] == 0 {
			first++
		}
		if first == len(v) {
			break
		}
		var rest uint64
		for i := first; i < len(v); i++ {
			v[i], rest = bits.Div64(rest, v[i], base)
		}
		parts[used] = rest
	}
	if used == 0 {
		return append(dst, '0'), true
	}
	dst = strconv.AppendUint(dst, parts[used-1], 10)
	for i := used - 2; i >= 0; i-- {
		var text [digits]byte
		for part, at := parts[i], digits-1; at >= 0; part, at = part/10, at-1 {
			text[at] = byte('0' + part%10)
		}
		dst = append(dst, text[:]...)
	}
	return dst, true
}
