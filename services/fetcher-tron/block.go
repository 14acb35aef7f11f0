package fetchertron

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
)

// block is the newest of the view that balances are read from.
type block struct {
	number int64
	at     time.Time // by its producer's clock
	// witness is the account of the producer, which is one that the chain must have.
	witness []byte
	over    link // the connection that told of it
}

// head asks for the view's newest block, without its transactions, and tells the pool.
func (n *node) head(ctx context.Context) (block, *failure) {
	reply, over, f := request(ctx, n, "block", n.wallet.GetBlock, &api.BlockReq{})
	if f != nil {
		return block{}, f
	}
	b, f := readBlock(reply)
	if f != nil {
		return block{}, f
	}
	b.over = over
	n.member.Saw(b.number)
	return b, nil
}

// readBlock reads a block's header. A block's id begins with its number, which holds the one against the other.
func readBlock(reply *api.BlockExtention) (block, *failure) {
	raw, id := reply.GetBlockHeader().GetRawData(), reply.GetBlockid()
	switch {
	case raw == nil && len(id) == 0:
		return block{}, &failure{class: lagging, text: "the node has no block"}
	case raw == nil || len(id) != 32:
		return block{}, garbled("a block with an id of %d bytes", len(id))
	case raw.GetNumber() < 0 || binary.BigEndian.Uint64(id) != uint64(raw.GetNumber()):
		return block{}, garbled("block %d with the id of another", raw.GetNumber())
	case raw.GetNumber() == 0:
		return block{}, &failure{class: lagging, text: "the view has no block above its first one to read at"}
	}
	return block{number: raw.GetNumber(), at: time.UnixMilli(raw.GetTimestamp()), witness: raw.GetWitnessAddress()}, nil
}

// checkChain asks for the id of block 0, which is the chain's name, and takes the endpoint out when it is another than ours. It
// gives the connection that it holds for.
func (n *node) checkChain(ctx context.Context) (link, *failure) {
	reply, over, f := request(ctx, n, "block", n.wallet.GetBlock, &api.BlockReq{IdOrNum: "0"})
	if f != nil {
		return "", f
	}
	id := reply.GetBlockid()
	if len(id) != 32 {
		return "", garbled("a first block with an id of %d bytes", len(id))
	}
	if got := hex.EncodeToString(id); got != n.fleet.chain.Genesis {
		f := &failure{class: foreign, text: fmt.Sprintf("the node's first block is %s, %s is configured", got, n.fleet.chain.Genesis)}
		n.quarantine(f)
		return "", f
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.checked = over
	return over, nil
}

// ofChain makes sure that the chain was checked over the given connection: a new one may lead anywhere.
func (n *node) ofChain(ctx context.Context, over link) *failure {
	n.mu.Lock()
	known := over != "" && n.checked == over
	n.mu.Unlock()
	if known {
		return nil
	}
	if now, f := n.checkChain(ctx); f != nil || now == over {
		return f
	}
	return &failure{class: moved, text: "the connection was replaced while the chain was checked"}
}

// spreadMemory is how long it is remembered that an endpoint's answers were apart.
const spreadMemory = 10 * time.Minute

// apart remembers that the endpoint told of a height, and then of one that is lower: several nodes answer for it.
func (n *node) apart(blocks int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	if now.Sub(n.spreadSeen) > spreadMemory {
		n.spread = 0
	}
	n.spread, n.spreadSeen = max(n.spread, blocks), now
}

// slack is how many blocks the node that gave a value may be behind the one that told of the height: what is configured, or what
// was seen of this endpoint lately if that is more. Nothing in the answer to a single call says where its node stands.
func (n *node) slack() int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	if time.Since(n.spreadSeen) > spreadMemory {
		return n.fleet.slack
	}
	return max(n.fleet.slack, n.spread)
}
