package fetcherevm

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"time"
)

// pinAge is how long a block serves: the claims in hand share it, and no reading begins at an older one.
const pinAge = time.Second

// header is what identifies a block.
type header struct {
	number       int64
	hash, parent string
}

// pin is the block that a node is read at.
type pin struct {
	header
	// block is the parameter of every read: the number, or the hash, which another fork cannot answer for.
	block  string
	byHash bool
	taken  time.Time
}

// resolution is one attempt to find the block to read at, which all readings that come meanwhile share.
type resolution struct {
	done   chan struct{} // closed when pin or failed is set
	pin    *pin
	failed *failure
}

// usable reports whether a reading that comes now may share the resolution: while it is under way, and then as long as its block serves.
func (r *resolution) usable() bool {
	if r == nil {
		return false
	}
	select {
	case <-r.done:
		return r.pin != nil && time.Since(r.pin.taken) < pinAge
	default:
		return true
	}
}

// pin gives the block to read at, resolved to number and hash at most [pinAge] ago.
func (n *node) pin(ctx context.Context) (*pin, *failure) {
	n.mu.Lock()
	r, shared := n.pinned, n.pinned.usable()
	if !shared {
		r = &resolution{done: make(chan struct{})}
		n.pinned = r
	}
	n.mu.Unlock()
	if !shared {
		defer close(r.done)
		r.pin, r.failed = n.resolve(ctx)
		return r.pin, r.failed
	}
	select {
	case <-ctx.Done():
		return nil, &failure{class: stopped, text: "the read was given up"}
	case <-r.done:
	}
	if r.pin == nil {
		// Waiting for a node that does not answer must not make each of those who wait ask it too. A nil failure is a panic of the one who asked.
		f := failure{class: down, text: "the block to read at could not be found"}
		if r.failed != nil {
			f = *r.failed
		}
		f.blamed = true
		return nil, &f
	}
	return r.pin, nil
}

// unpin makes the next reading look for a newer block.
func (n *node) unpin() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pinned = nil
}

// resolve asks for the newest block, which also tells the pool where the node stands, and from there for the one to read.
// It checks the chain id too: a block is worth what its chain is.
func (n *node) resolve(ctx context.Context) (*pin, *failure) {
	taken := time.Now()
	if f := n.checkChain(ctx); f != nil {
		return nil, f
	}
	block, f := n.head(ctx)
	if f == nil {
		f = n.probeFirst(ctx, block)
	}
	if f != nil {
		return nil, f
	}
	switch finality := n.fleet.chain.Finality; {
	case finality.Tag != "latest":
		// A tag is resolved here and never sent with a read: nodes move it on their own, and some do not know it there.
		block, f = n.header(ctx, `"`+finality.Tag+`"`)
	case finality.Lag > 0:
		number := block.number - finality.Lag
		if block, f = n.header(ctx, fmt.Sprintf(`"0x%x"`, max(number, 0))); f == nil && block.number != max(number, 0) {
			f = garbled("block %d in answer to %d", block.number, number)
		}
	}
	if f != nil {
		return nil, f
	}
	if block.number < 1 {
		return nil, &failure{class: lagging, text: "the chain has no block above its first one to read at"}
	}
	p := &pin{header: block, taken: taken, block: fmt.Sprintf(`"0x%x"`, block.number), byHash: n.takesHash()}
	if p.byHash {
		p.block = hashParameter(block.hash)
	}
	return p, nil
}

// hashParameter names a block by its hash (EIP-1898), which must be part of the node's own chain.
func hashParameter(hash string) string { return `{"blockHash":"` + hash + `","requireCanonical":true}` }

// head asks for the newest block and tells the pool.
func (n *node) head(ctx context.Context) (header, *failure) {
	h, f := n.header(ctx, `"latest"`)
	if f == nil {
		n.member.Saw(h.number)
	}
	return h, f
}

// header asks for a block by the JSON of its number or tag.
func (n *node) header(ctx context.Context, block string) (header, *failure) {
	return readHeader(n.call(ctx, headerRequest(block)))
}

func headerRequest(block string) request {
	return request{"eth_getBlockByNumber", "[" + block + ",false]"}
}

// readHeader reads a block's header. null is how a node says that it lacks the block.
func readHeader(r reply) (header, *failure) {
	if r.failed != nil {
		return header{}, r.failed
	}
	if r.result == nil {
		return header{}, &failure{class: lagging, text: "the node does not have the block"}
	}
	var fields struct{ Number, Hash, ParentHash string }
	if err := json.Unmarshal(r.result, &fields); err != nil {
		return header{}, garbled("a block that is none: %v", err)
	}
	number, err := parseHeight(fields.Number)
	if err != nil {
		return header{}, garbled("a block number of %q: %v", fields.Number, err)
	}
	for _, hash := range []string{fields.Hash, fields.ParentHash} {
		if data, err := parseData(hash); err != nil || len(data) != 32 {
			return header{}, garbled("a block hash of %q", hash)
		}
	}
	return header{number, fields.Hash, fields.ParentHash}, nil
}

// chainIDRequest is the request that every batch begins with.
func chainIDRequest() request { return request{"eth_chainId", "[]"} }

// checkChain asks which chain the node is of, and takes it out when it is another than ours.
func (n *node) checkChain(ctx context.Context) *failure {
	return n.ofChain(n.call(ctx, chainIDRequest()))
}

// ofChain judges the answer to [chainIDRequest]. Nothing that came with a wrong one, or without one, may be used.
func (n *node) ofChain(r reply) *failure {
	if r.failed != nil {
		return r.failed
	}
	var text string
	if err := json.Unmarshal(r.result, &text); err != nil {
		return garbled("a chain id that is not a string")
	}
	id, err := parseQuantity(text)
	if err != nil {
		return garbled("a chain id of %q: %v", text, err)
	}
	if id.Cmp(new(big.Int).SetUint64(n.fleet.chain.ChainID)) != 0 {
		return n.isForeign(id)
	}
	return nil
}

// isForeign takes the node out: it is of another chain than ours.
func (n *node) isForeign(id any) *failure {
	f := &failure{class: foreign, text: fmt.Sprintf("the node answers chain id %v, %d is configured", id, n.fleet.chain.ChainID)}
	n.quarantine(f)
	return f
}

// strayedTo is the failure of an answer that was made at another block than it should have been.
func strayedTo(format string, args ...any) *failure {
	return &failure{class: strayed, text: fmt.Sprintf(format, args...)}
}
