package fetcherevm

import (
	"encoding/hex"
	"errors"

	"github.com/ethereum/go-ethereum/crypto/keccak"
)

// address is an account or contract of an EVM chain.
type address [20]byte

// String gives 0x and 40 lower-case hex digits, the form that every node takes.
func (a address) String() string { return "0x" + hex.EncodeToString(a[:]) }

var (
	errShape    = errors.New("not 0x and 40 hex digits")
	errChecksum = errors.New("mixed case that is not its EIP-55 checksum: a mistyped address?")
)

// parseAddress reads 0x and 40 hex digits. Digits in mixed case carry a checksum (EIP-55) that must be right; in one
// case they carry none.
func parseAddress(text string) (address, error) {
	var digits [2 * len(address{})]byte
	if len(text) != 2+len(digits) || text[:2] != "0x" {
		return address{}, errShape
	}
	copy(digits[:], text[2:])
	var a address
	if _, err := hex.Decode(a[:], digits[:]); err != nil {
		return address{}, errShape
	}
	var lower, upper bool
	for _, d := range digits {
		lower, upper = lower || d >= 'a', upper || d >= 'A' && d <= 'F'
	}
	if lower && upper && text[2:] != checksum(a) {
		return address{}, errChecksum
	}
	return a, nil
}

// checksum gives the 40 digits in EIP-55's case: a letter is a capital when the same digit of the hash of the lower-case
// digits is 8 or more.
func checksum(a address) string {
	digits := []byte(hex.EncodeToString(a[:]))
	hash := keccak.NewLegacyKeccak256()
	hash.Write(digits) // a hash takes everything
	sum := hash.Sum(nil)
	for i, d := range digits {
		nibble := sum[i/2] >> 4
		if i%2 == 1 {
			nibble = sum[i/2] & 0xf
		}
		if d >= 'a' && nibble >= 8 {
			digits[i] = d - 'a' + 'A'
		}
	}
	return string(digits)
}

// reserved reports whether no token can live at the address: zero, which the scanner takes for the native coin, and the range of
// the precompiles, of which 0x04 echoes its input, a balance made of nothing.
func (a address) reserved() bool {
	for _, b := range a[:18] {
		if b != 0 {
			return false
		}
	}
	return true
}
