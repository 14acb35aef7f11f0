package fetchertron

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	sdk "github.com/fbsobreira/gotron-sdk/pkg/address"
	"pgregory.net/rapid"
)

func TestAddressesAreReadInEachForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := address(append([]byte{prefix}, rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "bytes")...))
		digits := hex.EncodeToString(want[:])
		if text := sdk.Address(want[:]).String(); text != want.String() {
			t.Fatalf("%s, the library writes %s", want, text)
		}
		for _, text := range []string{want.String(), digits, "0x" + digits, strings.ToUpper(digits), "0x" + strings.ToUpper(digits)} {
			if got, err := parseAddress(text); err != nil || got != want {
				t.Fatalf("%q: %v, %v", text, got, err)
			}
		}
		if _, err := parseAddress("0x" + digits[2:]); !errors.Is(err, errFamily) {
			t.Fatalf("20 bytes: %v", err)
		}
	})
}

// A single wrong character must be found, and nothing may be taken for an address that the library does not take for the same one.
func TestAMistypedAddressIsRefused(t *testing.T) {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	rapid.Check(t, func(t *rapid.T) {
		good := address(append([]byte{prefix}, rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "bytes")...)).String()
		at, with := rapid.IntRange(0, len(good)-1).Draw(t, "at"), rapid.SampledFrom([]byte(alphabet)).Draw(t, "with")
		text := good[:at] + string(with) + good[at+1:]
		if _, err := parseAddress(text); (err == nil) != (text == good) {
			t.Fatalf("%q from %q: %v", text, good, err)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.StringMatching(`T[1-9A-HJ-NP-Za-km-z]{33}`), rapid.StringMatching(`(0x)?(41)?[0-9a-fA-F]{38,44}`), rapid.String()).Draw(t, "text")
		got, err := parseAddress(text)
		if err != nil {
			return
		}
		want, err := sdk.Base58ToAddress(text)
		if err != nil {
			want, err = sdk.HexToAddress(text)
		}
		if err != nil || string(want) != string(got[:]) {
			t.Fatalf("%q is %v, to the library %v (%v)", text, got, want, err)
		}
	})
}

func TestKnownAddresses(t *testing.T) {
	const usdt, digits = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "41a614f803b6fd780986a42c78ec9c7f77e6ded13c"
	for _, text := range []string{usdt, digits, "0x" + digits} {
		if a, err := parseAddress(text); err != nil || a.String() != usdt || hex.EncodeToString(a[:]) != digits {
			t.Errorf("%q: %v, %v", text, a, err)
		}
	}
	for _, text := range []string{"", "T", usdt + "t", usdt[:33], " " + usdt, digits[2:], "42" + digits[2:], "0X" + digits, digits + "00", strings.Repeat("z", 34), "T" + strings.Repeat("0", 33), "T" + strings.Repeat("é", 16) + "1"} {
		if a, err := parseAddress(text); err == nil {
			t.Errorf("%q is %v", text, a)
		}
	}
}
