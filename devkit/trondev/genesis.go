package trondev

import (
	"encoding/binary"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"
)

const (
	// emptyEvery spaces out the true zeros: asset number a starts empty in wallets a, a+50, a+100… An empty coin balance is
	// an account that was never activated, and the churn never activates it.
	emptyEvery = 50
	// hugeWallet starts with 78 digits of the first token, the most that a balance can have.
	hugeWallet = 7
	// oddWallets bounds how many wallets hold an odd token other than the proxy.
	oddWallets = 200
)

// fund fills the ledger with what contracts and wallets start with. Nobody else has the ledger yet.
func fund(l *ledger, cfg Config, list []contract) {
	for i := range int64(witnesses) {
		l.found(coins(witness(i)), *uint256.NewInt(uint64(i+1) * 1_000_000))
	}
	wallets := make([]common.Address, cfg.Wallets)
	for i := range wallets {
		wallets[i] = walletAddress(i)
		if held := firstBalance(cfg.Chain, 0, 6, i); !held.IsZero() {
			l.found(coins(wallets[i]), *held)
		}
	}
	for number, c := range list {
		if c.program == nil {
			continue
		}
		l.deploy(c.at, c.program)
		if c.role != good && c.role != odd {
			continue
		}
		holders := wallets
		if c.role == odd && c.token.Name != "proxy" {
			holders = wallets[:min(len(wallets), oddWallets)]
		}
		for i, wallet := range holders {
			if amount := firstBalance(cfg.Chain, number+1, c.token.Decimals, i); !amount.IsZero() {
				l.found(held(c.at, wallet), *amount)
			}
		}
	}
}

// firstBalance is what wallet i starts with of an asset. Chain, asset and wallet all go into it, so that a value read for the
// wrong one of them is never right by chance.
func firstBalance(chain uint64, asset, decimals, i int) *uint256.Int {
	if i%emptyEvery == asset%emptyEvery {
		return new(uint256.Int)
	}
	if asset == 1 && i == hugeWallet {
		huge := new(big.Int).Exp(big.NewInt(10), big.NewInt(77), nil)
		return uint256.MustFromBig(huge.Add(huge, big.NewInt(int64(chain%1000)+1)))
	}
	var key [24]byte
	binary.BigEndian.PutUint64(key[0:], chain)
	binary.BigEndian.PutUint64(key[8:], uint64(asset))
	binary.BigEndian.PutUint64(key[16:], uint64(i))
	whole := binary.BigEndian.Uint64(crypto.Keccak256([]byte("trondev balance"), key[:])) % 1_000_000

	unit := new(uint256.Int).Exp(uint256.NewInt(10), uint256.NewInt(uint64(decimals)))
	amount := unit.Mul(unit, uint256.NewInt(whole))
	return amount.AddUint64(amount, uint64(i)+1)
}
