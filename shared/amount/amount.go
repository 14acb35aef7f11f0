// Package amount handles token amounts exactly: as decimal strings, never as floats, never divided.
//
// A raw amount is the integer that the chain stores, 0 to 2^256-1, written in decimal without sign or leading zeros (at
// most 78 digits). A human amount is the raw one with its decimal point moved by the asset's decimals; no digit is ever
// lost or rounded.
package amount

import (
	"errors"
	"fmt"
	"strings"
)

// MaxDecimals is the largest number of decimals that an ERC-20 token can declare (decimals() returns a uint8).
const MaxDecimals = 255

// maxRaw is 2^256-1.
const maxRaw = "115792089237316195423570985008687907853269984665640564039457584007913129639935"

// ErrNotCanonical is returned for a raw amount that is not a uint256 in plain decimal notation.
var ErrNotCanonical = errors.New("raw amount is not a uint256 in decimal without leading zeros")

// Check reports whether raw is a uint256 in canonical decimal form. It returns [ErrNotCanonical] when it is not: an empty
// string, a sign, a space, a leading zero, another digit set, or a value above 2^256-1.
func Check(raw string) error {
	if raw == "" || len(raw) > len(maxRaw) || raw[0] == '0' && len(raw) > 1 {
		return ErrNotCanonical
	}
	for i := range len(raw) {
		if raw[i] < '0' || raw[i] > '9' {
			return ErrNotCanonical
		}
	}
	if len(raw) == len(maxRaw) && raw > maxRaw {
		return ErrNotCanonical
	}
	return nil
}

// Human moves the decimal point of a canonical raw amount by decimals (0 to [MaxDecimals]) and drops trailing zeros of
// the fraction: Human("1500000", 6) is "1.5". The result is exact.
func Human(raw string, decimals int) (string, error) {
	if err := Check(raw); err != nil {
		return "", err
	}
	if decimals < 0 || decimals > MaxDecimals {
		return "", fmt.Errorf("decimals %d is outside 0 to %d", decimals, MaxDecimals)
	}
	if missing := decimals + 1 - len(raw); missing > 0 {
		raw = strings.Repeat("0", missing) + raw
	}
	point := len(raw) - decimals
	fraction := strings.TrimRight(raw[point:], "0")
	if fraction == "" {
		return raw[:point], nil
	}
	return raw[:point] + "." + fraction, nil
}
