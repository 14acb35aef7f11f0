package fetcherevm

import (
	"context"
	"fmt"
)

// tagged gives the block that the chain's finality names by a tag, safe or finalized. A tag is resolved here and never sent with
// a read: nodes move it on their own, and some do not know it there. A node without such a block is taken out until it
// has one: in its place a newer block could be read, but that would be a value of less finality than what was asked for.
func (n *node) tagged(ctx context.Context) (header, *failure) {
	tag := n.fleet.chain.Finality.Tag
	block, f := n.header(ctx, `"`+tag+`"`)
	if f == nil {
		return block, nil
	}
	switch f.class {
	case untagged, lagging, unsupported:
		f = &failure{class: untagged, text: fmt.Sprintf("the node has no %s block, which the chain's finality asks for (%s): "+
			"use a node that has, or set finality: latest-N where that is enough", tag, f.text)}
		n.quarantine(f)
	}
	return header{}, f
}
