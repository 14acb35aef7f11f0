package evmdev

import (
	_ "embed"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// multicall3 is the code of https://github.com/mds1/multicall (MIT) as it stands on the chains, in hex.
//
//go:embed multicall3.hex
var multicall3 string

// Multicall is where Multicall3 stands on every chain, as on most real ones.
const Multicall = "0xcA11bde05977b3631167028862bE2a173976CA11"

// MulticallCode is the program that stands there, for other virtual machines that run it.
func MulticallCode() []byte { return common.FromHex(strings.TrimSpace(multicall3)) }

// multicallAccount is its account: Multicall3 keeps nothing.
func multicallAccount() types.Account {
	return types.Account{Balance: new(big.Int), Nonce: 1, Code: MulticallCode()}
}
