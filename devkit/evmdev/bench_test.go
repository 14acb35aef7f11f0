package evmdev

import (
	"strconv"
	"testing"
)

// Two nodes per development stack, so this is paid twice before anything happens.
func BenchmarkStart(b *testing.B) {
	for _, wallets := range []int{1_000, 20_000, 50_000} {
		b.Run(strconv.Itoa(wallets), func(b *testing.B) {
			for b.Loop() {
				n, err := Start(b.Context(), Config{ChainID: 31337, Wallets: wallets})
				if err != nil {
					b.Fatal(err)
				}
				if err := n.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
