package fetchertron

import (
	"encoding/hex"
	"errors"
	"strings"

	"github.com/fbsobreira/gotron-sdk/pkg/common"
)

// prefix is the first byte of every address, as it is on the wire. Inside the virtual machine an address has no prefix.
const prefix = 0x41

// address is an account or contract of a TRON chain, with its prefix.
type address [21]byte

// String gives the base58check form, which begins with T.
func (a address) String() string { return common.EncodeCheck(a[:]) }

// wire gives the form of messages, its own bytes.
func (a address) wire() []byte { return a[:] }

// word gives the 20 bytes that the virtual machine knows the address by.
func (a address) word() []byte { return a[1:] }

var (
	errShape    = errors.New("neither a base58 address (34 characters from T on) nor hex digits of 21 bytes from 41 on")
	errChecksum = errors.New("not base58 with its checksum: a mistyped address?")
	errFamily   = errors.New("20 bytes in hex without TRON's prefix 41: an EVM address?")
)

// parseAddress reads base58check, or 42 hex digits from 41 on, with 0x or without. The 20 bytes that remain without the prefix
// are refused: they are how an EVM chain writes an address, and as a TRON account the holder of such a row owns nothing.
func parseAddress(text string) (address, error) {
	if strings.HasPrefix(text, "T") && len(text) == 34 {
		data, err := common.DecodeCheck(text)
		if err != nil || len(data) != len(address{}) || data[0] != prefix {
			return address{}, errChecksum
		}
		return address(data), nil
	}
	digits := strings.TrimPrefix(text, "0x")
	data, err := hex.DecodeString(digits)
	switch {
	case err != nil:
		return address{}, errShape
	case len(data) == len(address{})-1:
		return address{}, errFamily
	case len(data) != len(address{}) || data[0] != prefix:
		return address{}, errShape
	}
	return address(data), nil
}

// reserved reports whether no token can live at the address: zero, which the scanner takes for the native coin, and the range
// of the precompiles, which answer whoever asks with something that is no balance.
func (a address) reserved() bool {
	for _, b := range a.word()[:16] {
		if b != 0 {
			return false
		}
	}
	return true
}
