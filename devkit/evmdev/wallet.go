package evmdev

import (
	"encoding/binary"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"
)

const (
	// emptyEvery spaces out the true zeros: asset number a starts empty in wallets a, a+50, a+100...
	emptyEvery = 50
	// hugeWallet starts with 78 digits of the first token, the most that a balance can have.
	hugeWallet = 7
)

// walletAddress is the last 20 bytes of keccak256(abi.encode(uint256(i))), as in Ledger.sol.
func walletAddress(i int) common.Address {
	word := uint256.NewInt(uint64(i)).Bytes32()
	return common.BytesToAddress(crypto.Keccak256(word[:]))
}

// genesisBalance is what wallet i holds of an asset in block 0. Chain, asset and wallet all go into
// it, so that a value read for the wrong one of them is never right by chance.
func genesisBalance(chainID uint64, asset, decimals, i int) *uint256.Int {
	if i%emptyEvery == asset%emptyEvery {
		return new(uint256.Int)
	}
	if asset == firstToken && i == hugeWallet {
		huge := new(big.Int).Exp(big.NewInt(10), big.NewInt(77), nil)
		return uint256.MustFromBig(huge.Add(huge, big.NewInt(int64(chainID%1000)+1)))
	}
	var key [24]byte
	binary.BigEndian.PutUint64(key[0:], chainID)
	binary.BigEndian.PutUint64(key[8:], uint64(asset))
	binary.BigEndian.PutUint64(key[16:], uint64(i))
	whole := binary.BigEndian.Uint64(crypto.Keccak256(key[:])) % 1_000_000

	unit := new(uint256.Int).Exp(uint256.NewInt(10), uint256.NewInt(uint64(decimals)))
	amount := unit.Mul(unit, uint256.NewInt(whole))
	return amount.AddUint64(amount, uint64(i)+1)
}
