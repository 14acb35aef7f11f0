package evmdev

import (
	"crypto/ecdsa"
	"encoding/json"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"
	"github.com/holiman/uint256"
)

const (
	// blockGas leaves room for about 30,000 moved balances in one block. It has no part in an
	// eth_call, whose gas the node bounds on its own.
	blockGas = 500_000_000
	// oddWallets bounds how many wallets start with a balance of a token that never moves.
	oddWallets = 200
)

// Genesis is block 0 of the chain that [Start] makes of the same config, as JSON in the form of geth's
// genesis files: what another client needs to hold the same code and the same balances.
func Genesis(cfg Config) ([]byte, error) {
	first, _, _, err := blueprint(cfg)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(first)
	if err != nil {
		return nil, fmt.Errorf("encode genesis of chain %d: %w", cfg.ChainID, err)
	}
	return data, nil
}

// blueprint is what a chain is made of: its first block, the contracts in it, and the key that pays for
// the churn.
func blueprint(cfg Config) (*core.Genesis, []contract, *ecdsa.PrivateKey, error) {
	if cfg.ChainID == 0 || cfg.Wallets < 0 || cfg.BlockPeriod < 0 || cfg.Churn < 0 {
		return nil, nil, nil, fmt.Errorf("start chain: bad config %+v", cfg)
	}
	compiled, err := readArtefacts()
	if err != nil {
		return nil, nil, nil, err
	}
	list, err := contracts(compiled)
	if err != nil {
		return nil, nil, nil, err
	}
	key, err := funderKey()
	if err != nil {
		return nil, nil, nil, err
	}
	return genesis(cfg, list, crypto.PubkeyToAddress(key.PublicKey)), list, key, nil
}

// genesis is block 0: all the code and all the balances. Seeding them by transactions would take
// thousands of blocks, as one transaction may not use more than 2^24 gas (EIP-7825).
func genesis(cfg Config, list []contract, funder common.Address) *core.Genesis {
	alloc := core.SystemContractAllocs()
	alloc[funder] = types.Account{Balance: new(big.Int).Lsh(big.NewInt(1), 200)}

	alloc[common.HexToAddress(Multicall)] = multicallAccount()

	wallets := make([]common.Address, cfg.Wallets)
	for i := range wallets {
		wallets[i] = walletAddress(i)
		if held := genesisBalance(cfg.ChainID, 0, 18, i); !held.IsZero() {
			alloc[wallets[i]] = types.Account{Balance: held.ToBig()}
		}
	}
	for i, c := range list {
		if len(c.code.Runtime) == 0 {
			continue
		}
		alloc[c.at] = types.Account{
			Balance: new(big.Int),
			Nonce:   1,
			Code:    c.code.Runtime,
			Storage: storage(cfg, c, firstToken+i, wallets),
		}
	}

	// Mainnet's rules, without the forks that geth's own dev mode turns on ahead of time: one of
	// them reprices the creation of accounts.
	rules := *params.AllDevChainProtocolChanges
	rules.ChainID = new(big.Int).SetUint64(cfg.ChainID)
	rules.BogotaTime = nil
	return &core.Genesis{
		Config:     &rules,
		GasLimit:   blockGas,
		Difficulty: new(big.Int),
		Timestamp:  uint64(time.Now().Unix()),
		Alloc:      alloc,
	}
}

// storage is what a contract's constructor and its first transfers would have left behind.
func storage(cfg Config, c contract, asset int, wallets []common.Address) map[common.Hash]common.Hash {
	slots := make(map[common.Hash]common.Hash)
	if slot, ok := c.code.Slots["emptyEvery"]; ok {
		slots[slotHash(slot)] = slotHash(emptyEvery)
	}
	if slot, ok := c.code.Slots["decimals"]; ok {
		slots[slotHash(slot)] = slotHash(uint64(c.token.Decimals))
	}
	if c.token.Name == "proxy" {
		// EIP-1967: bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1)
		slot := new(uint256.Int).SetBytes(crypto.Keccak256([]byte("eip1967.proxy.implementation")))
		slots[slot.SubUint64(slot, 1).Bytes32()] = common.BytesToHash(contractAddress(proxied).Bytes())
	}
	if c.balances < 0 {
		return slots
	}
	if c.role != good && c.token.Name != "proxy" {
		wallets = wallets[:min(len(wallets), oddWallets)]
	}
	total := new(uint256.Int)
	for i, wallet := range wallets {
		held := genesisBalance(cfg.ChainID, asset, c.token.Decimals, i)
		if c.token.Name == returnsMax {
			held.SetAllOne()
		}
		if !held.IsZero() {
			slots[balanceSlot(wallet, c.balances)] = held.Bytes32()
			total.Add(total, held)
		}
	}
	if slot, ok := c.code.Slots["totalSupply"]; ok {
		slots[slotHash(slot)] = total.Bytes32()
	}
	return slots
}

// balanceSlot is where Solidity keeps entry wallet of a mapping that stands at position slot.
func balanceSlot(wallet common.Address, slot int) common.Hash {
	var key [64]byte
	copy(key[12:], wallet[:])
	position := slotHash(uint64(slot))
	copy(key[32:], position[:])
	return crypto.Keccak256Hash(key[:])
}

// slotHash is a small number as a storage word.
func slotHash(number uint64) common.Hash {
	return uint256.NewInt(number).Bytes32()
}

// funderKey pays for the churn. Anybody can derive it: it is worth nothing outside such a chain.
func funderKey() (*ecdsa.PrivateKey, error) {
	key, err := crypto.ToECDSA(crypto.Keccak256([]byte("evmdev funder")))
	if err != nil {
		return nil, fmt.Errorf("derive funder key: %w", err)
	}
	return key, nil
}
