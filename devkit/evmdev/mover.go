package evmdev

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"
	"github.com/holiman/uint256"
)

const (
	// walletsPerTx keeps a transaction below 2^24 gas (EIP-7825) if every balance in it is new,
	// which is at most 36,000 gas each.
	walletsPerTx = 400
	// churnSignature is the one call that all movable assets share.
	churnSignature = "churn(uint256,uint256,uint256)"
)

// asset is what the churn can move.
type asset struct {
	token    string         // as in Balance
	target   common.Address // takes the call
	selector []byte
	coins    *big.Int // wei to send along for one wallet
	read     reader
}

// mover changes balances by transactions and knows which ones changed.
type mover struct {
	chain  *chain
	key    *ecdsa.PrivateKey
	funder common.Address
	signer types.Signer
	seed   uint64 // goes up by one a call, so that no two calls move alike
	assets []asset
	tally  tally
}

func newMover(c *chain, cfg Config, key *ecdsa.PrivateKey, list []contract) *mover {
	m := &mover{
		chain:  c,
		key:    key,
		funder: crypto.PubkeyToAddress(key.PublicKey),
		signer: types.LatestSignerForChainID(new(big.Int).SetUint64(cfg.ChainID)),
		tally:  tally{moved: make(map[pair]struct{})},
	}
	for _, c := range list {
		selector, ok := c.code.Selectors[churnSignature]
		switch {
		case !ok:
		case c.token.Name == nativeMover:
			m.assets = append(m.assets, asset{"", c.at, selector, big.NewInt(1000), readNative})
		case c.role != inner:
			m.assets = append(m.assets, asset{c.token.Address, c.at, selector, new(big.Int), c.read})
		}
	}
	return m
}

// move changes the balances of the stretches and makes the blocks that it takes, one unless they
// exceed what geth builds in two seconds; with nothing to move it makes an empty block. One call at
// a time. It is short, so ctx is asked only before it begins. After an error it is unknown which of
// the balances moved; what is left of it in the pool is thrown away, so that the next call can work.
func (m *mover) move(ctx context.Context, stretches []stretch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	before := m.chain.head()
	if err := m.play(stretches); err != nil {
		m.chain.eth.TxPool().Clear()
		return err
	}
	return m.record(before, m.chain.head(), stretches)
}

// play sends the transactions and makes blocks until all of them are in.
func (m *mover) play(stretches []stretch) error {
	done, err := m.nonce()
	if err != nil {
		return err
	}
	last, err := m.send(done, stretches)
	if err != nil {
		return err
	}
	for {
		if err := m.chain.seal(); err != nil {
			return err
		}
		if err := m.succeeded(); err != nil {
			return err
		}
		reached, err := m.nonce()
		if err != nil || reached == last {
			return err
		}
		if reached == done {
			return fmt.Errorf("churn: a block took none of %d transactions", last-reached)
		}
		done = reached
	}
}

// nonce is the number of the funder's transactions so far.
func (m *mover) nonce() (uint64, error) {
	st, err := m.chain.state(m.chain.head())
	if err != nil {
		return 0, err
	}
	nonce := st.GetNonce(m.funder)
	return nonce, st.Error()
}

// send puts the transactions into the pool and returns the funder's nonce after all of them.
func (m *mover) send(nonce uint64, stretches []stretch) (uint64, error) {
	m.seed++
	var txs []*types.Transaction
	for _, s := range stretches {
		for from := s.from; from < s.to; from += walletsPerTx {
			tx, err := m.sign(nonce, m.assets[s.asset], from, min(from+walletsPerTx, s.to))
			if err != nil {
				return 0, err
			}
			txs = append(txs, tx)
			nonce++
		}
	}
	pool := m.chain.eth.TxPool()
	// The pool learns of the last block in the background; before that it would count its own.
	if err := pool.Sync(); err != nil {
		return 0, fmt.Errorf("sync pool: %w", err)
	}
	if err := errors.Join(pool.Add(txs, true)...); err != nil {
		return 0, fmt.Errorf("send churn: %w", err)
	}
	return nonce, nil
}

func (m *mover) sign(nonce uint64, a asset, from, to int) (*types.Transaction, error) {
	input := append([]byte(nil), a.selector...)
	for _, argument := range []uint64{uint64(from), uint64(to), m.seed} {
		word := uint256.NewInt(argument).Bytes32()
		input = append(input, word[:]...)
	}
	tx, err := types.SignNewTx(m.key, m.signer, &types.DynamicFeeTx{
		ChainID:   m.signer.ChainID(),
		Nonce:     nonce,
		GasTipCap: big.NewInt(params.GWei),
		GasFeeCap: big.NewInt(1000 * params.GWei),
		Gas:       params.MaxTxGas,
		To:        &a.target,
		Value:     new(big.Int).Mul(a.coins, big.NewInt(int64(to-from))),
		Data:      input,
	})
	if err != nil {
		return nil, fmt.Errorf("sign churn: %w", err)
	}
	return tx, nil
}

// succeeded checks the receipts of the last block: a transaction that failed is mined all the same.
func (m *mover) succeeded() error {
	head := m.chain.head()
	for _, receipt := range m.chain.eth.BlockChain().GetReceiptsByHash(head.Hash()) {
		if receipt.Status != types.ReceiptStatusSuccessful {
			return fmt.Errorf("churn: transaction %s failed after %d gas", receipt.TxHash, receipt.GasUsed)
		}
	}
	return nil
}
