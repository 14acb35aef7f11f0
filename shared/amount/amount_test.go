package amount_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/shared/amount"
	"pgregory.net/rapid"
)

const max256 = "115792089237316195423570985008687907853269984665640564039457584007913129639935"

func TestCheckAcceptsOnlyCanonicalUint256(t *testing.T) {
	over := "115792089237316195423570985008687907853269984665640564039457584007913129639936"
	tests := []struct {
		raw string
		ok  bool
	}{
		{"0", true}, {"1", true}, {"10", true}, {max256, true}, {strings.Repeat("9", 77), true},
		{"", false}, {"00", false}, {"01", false}, {"-1", false}, {"+1", false}, {" 1", false}, {"1 ", false},
		{"1.0", false}, {"1e3", false}, {"0x1", false}, {"٣", false}, {over, false}, {"1" + max256, false}, {"1\x00", false},
	}
	for _, tt := range tests {
		if err := amount.Check(tt.raw); (err == nil) != tt.ok {
			t.Errorf("Check(%q) = %v, want ok=%v", tt.raw, err, tt.ok)
		}
	}
}

func TestHumanMovesThePointAndLosesNothing(t *testing.T) {
	tests := []struct {
		raw      string
		decimals int
		want     string
	}{
		{"0", 0, "0"}, {"0", 18, "0"}, {"1500000", 6, "1.5"}, {"1", 18, "0.000000000000000001"}, {"100", 2, "1"},
		{"120", 2, "1.2"}, {"7", 0, "7"}, {"1", 77, "0." + strings.Repeat("0", 76) + "1"},
		{max256, 0, max256}, {max256, 77, "1." + max256[1:]}, {max256, 78, "0." + max256},
	}
	for _, tt := range tests {
		got, err := amount.Human(tt.raw, tt.decimals)
		if err != nil || got != tt.want {
			t.Errorf("Human(%q, %d) = %q, %v; want %q", tt.raw, tt.decimals, got, err, tt.want)
		}
	}
}

func TestHumanRefusesWhatIsNotAnAmount(t *testing.T) {
	for _, tt := range []struct {
		raw      string
		decimals int
	}{{"", 0}, {"01", 2}, {"1", -1}, {"1", 256}} {
		if got, err := amount.Human(tt.raw, tt.decimals); err == nil {
			t.Errorf("Human(%q, %d) = %q, want an error", tt.raw, tt.decimals, got)
		}
	}
}

// The oracle is rational arithmetic: human × 10^decimals must be raw again, for every uint256 and 0 to 77 decimals.
func TestHumanTimesTenToTheDecimalsIsRawAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.Uint64(), 0, 4).Draw(t, "words")
		value := new(big.Int)
		for _, w := range words {
			value.Lsh(value, 64).Or(value, new(big.Int).SetUint64(w))
		}
		decimals := rapid.IntRange(0, 77).Draw(t, "decimals")
		human, err := amount.Human(value.String(), decimals)
		if err != nil {
			t.Fatal(err)
		}
		back, ok := new(big.Rat).SetString(human)
		if !ok {
			t.Fatalf("%q is not a number", human)
		}
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)
		back.Mul(back, new(big.Rat).SetInt(scale))
		if !back.IsInt() || back.Num().Cmp(value) != 0 {
			t.Fatalf("raw %s with %d decimals is %s, which is %s again", value, decimals, human, back)
		}
	})
}

func ExampleHuman() {
	human, err := amount.Human("1234500000000000000", 18)
	fmt.Println(human, err)
	// Output: 1.2345 <nil>
}
