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
	value  [32]byte
}

// Value is the balance, big-endian; false when the row has none.
func (e *Entry) Value() ([32]byte, bool) {
	if e.Status.Failed() {
		return [32]byte{}, false
	}
	return e.value, true
}

// limbs are the value's 64-bit digits, the most significant first.
func (e *Entry) limbs() [4]uint64 {
	var v [4]uint64
	for i := range v {
		v[i] = binary.BigEndian.Uint64(e.value[8*i:])
	}
	return v
}

// length is how many bytes the program writes for the value: the least of 0, 8, 12 and 32 that hold it.
func (e *Entry) length() int {
	v := e.limbs()
	switch {
	case v[0]|v[1] != 0 || v[2]>>32 != 0:
		return 32
	case v[2] != 0:
		return 12
	case v[3] != 0:
		return 8
	}
	return 0
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
	v, used := e.limbs(), 0
	for v != [4]uint64{} {
		var rest uint64
		for i := range v {
			v[i], rest = bits.Div64(rest, v[i], base)
		}
		parts[used] = rest
		used++
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
