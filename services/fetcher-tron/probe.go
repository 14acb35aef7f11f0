package fetchertron

import (
	"context"
	"time"
)

// probeAge is how long a probe's findings hold. Nodes are judged by what they do, never by what they call themselves:
// versions and the gateways in front of them change what a name can do.
const probeAge = 10 * time.Minute

// abilities are what a node can do besides telling of its blocks.
type abilities struct {
	// constant: it runs constant calls, without which no token can be read.
	constant bool
}

// can gives what was found out.
func (n *node) can() abilities {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.able
}

// doubt makes the next check find out again: the node said that it does not do what it did.
func (n *node) doubt() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.probed = time.Time{}
}

// nowhere is a contract that does not exist: precompiles have no account, and no contract can be made there.
var nowhere = address{0: prefix, 20: 0xff}

// probe finds out, unless it is known, what the node can do. A node that is there but runs no constant calls is used for accounts.
func (n *node) probe(ctx context.Context) *failure {
	n.mu.Lock()
	known := !n.probed.IsZero() && time.Since(n.probed) < probeAge
	n.mu.Unlock()
	if known {
		return nil
	}
	reply, _, f := request(ctx, n, "account", n.wallet.GetAccount, call{holder: nobody}.account())
	if f != nil {
		return f
	}
	if a := (call{holder: nobody}).accountAnswer(reply); a.failed != nil {
		return a.failed
	}
	able, f := n.probeConstant(ctx)
	if f != nil {
		return f
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.able, n.probed = abilities{constant: able}, time.Now()
	return nil
}

// probeConstant calls a contract that does not exist, which a node that runs calls says.
func (n *node) probeConstant(ctx context.Context) (bool, *failure) {
	reply, _, f := request(ctx, n, "constant", n.wallet.TriggerConstantContract, call{token: nowhere, holder: nobody}.trigger())
	if f == nil {
		_, f = returned(reply)
	}
	switch {
	case f == nil, f.class == codeless, f.class == reverted:
		return true, nil
	case f.class == unsupported:
		return false, nil
	}
	return false, f
}
