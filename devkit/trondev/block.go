package trondev

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
	"google.golang.org/protobuf/proto"
)

// block is a header: nothing of a block's transactions is kept.
type block struct {
	height int64
	time   int64 // ms since 1970
	id     [32]byte
	parent [32]byte
}

// nextBlock makes the block after another one. An id is the height in eight bytes, then the rest of the header's hash.
func nextBlock(parent block, time int64, override func(int64) [32]byte) (block, error) {
	return newBlock(parent.height+1, time, parent.id, override)
}

func newBlock(height, time int64, parent [32]byte, override func(int64) [32]byte) (block, error) {
	b := block{height: height, time: time, parent: parent}
	if override != nil {
		b.id = override(height)
		return b, nil
	}
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(b.raw())
	if err != nil {
		return block{}, fmt.Errorf("encode header %d: %w", height, err)
	}
	b.id = sha256.Sum256(raw)
	binary.BigEndian.PutUint64(b.id[:8], uint64(height))
	return b, nil
}

func (b block) raw() *core.BlockHeaderRaw {
	root := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(b.height)))
	return &core.BlockHeaderRaw{
		Timestamp:      b.time,
		TxTrieRoot:     root[:],
		ParentHash:     b.parent[:],
		Number:         b.height,
		WitnessAddress: wire(witness(b.height)),
		Version:        31,
	}
}

// message is the block as GetBlock gives it without detail.
func (b block) message() *api.BlockExtention {
	return &api.BlockExtention{
		BlockHeader: &core.BlockHeader{RawData: b.raw(), WitnessSignature: make([]byte, 65)},
		Blockid:     b.id[:],
	}
}

// witnesses is how many accounts take turns in making blocks.
const witnesses = 27

// witness is the account that makes a block. Like every producer of a real chain's blocks it exists.
func witness(height int64) common.Address {
	return common.BytesToAddress(crypto.Keccak256(binary.BigEndian.AppendUint64([]byte("trondev witness"), uint64(height%witnesses))))
}
