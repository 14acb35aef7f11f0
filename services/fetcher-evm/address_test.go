package fetcherevm

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"pgregory.net/rapid"
)

func TestAddressesAreReadAsGethReadsThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want address
		copy(want[:], rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "address"))
		digits := hex.EncodeToString(want[:])
		for _, text := range []string{"0x" + digits, "0x" + strings.ToUpper(digits), common.Address(want).Hex()} {
			got, err := parseAddress(text)
			if err != nil || got != want {
				t.Fatalf("%s: %v, %v", text, got, err)
			}
		}
		if checksummed := common.Address(want).Hex(); checksummed[2:] != checksum(want) {
			t.Fatalf("checksum %s, want %s", checksum(want), checksummed)
		}
	})
}

func TestAnAddressInOneCaseIsReadWithoutAllocating(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		if _, err := parseAddress("0x2954155ab7b0942694bea4ce44661d9a8736c688"); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAMistypedLetterIsCaughtByItsChecksum(t *testing.T) {
	good := "0xcA11bde05977b3631167028862bE2a173976CA11"
	if _, err := parseAddress(good); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"0xCA11bde05977b3631167028862bE2a173976CA11", strings.Replace(good, "bE2a", "bE2b", 1)} {
		if _, err := parseAddress(bad); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}

func TestTextsThatAreNoAddressAreRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		if _, err := parseAddress(text); err == nil && !common.IsHexAddress(text) {
			t.Fatalf("%q was accepted", text)
		}
	})
}

// Zero means native to a scanner, and precompiles echo their input: neither may ever be asked for a balance.
func TestZeroAndPrecompilesAreNoTokens(t *testing.T) {
	for text, ok := range map[string]bool{
		"":     false,
		"0x00": false,
		"0x0000000000000000000000000000000000000000": false,
		"0x0000000000000000000000000000000000000004": false,
		"0x000000000000000000000000000000000000ffff": false,
		"0x0000000000000000000000000000000000010000": true,
	} {
		if _, err := parseToken(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}
