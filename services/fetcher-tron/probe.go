package fetchertron

import (
	"context"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
)

// probeAge is how long a probe's findings hold. Nodes are judged by what they do, never by what they call themselves:
// versions and the gateways in front of them change what a name can do.
const probeAge = 10 * time.Minute

// unsureAge is how long they hold when the node gave no answer at all on some rung: it may have been an accident.
const unsureAge = time.Minute

// abilities are what single calls a node takes.
type abilities struct {
	// account: it gives accounts, the coin's balances. constant: it runs constant calls, without which no token can be read.
	account, constant bool
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

// probe finds out, unless it is known, what the node can do, single calls and the rungs above them. A node that is there but runs no
// constant calls is used for accounts, and one that gives no accounts for what is left.
func (n *node) probe(ctx context.Context, head block) *failure {
	n.mu.Lock()
	known := !n.probed.IsZero() && time.Since(n.probed) < probeAge
	n.mu.Unlock()
	if known {
		return nil
	}
	witness := call{native: true, row: 0}
	if len(head.witness) == len(address{}) {
		witness.holder = address(head.witness)
	} else {
		witness.holder = nobody
	}
	able := abilities{}
	before, f := n.probeAccount(ctx, witness)
	switch {
	case f == nil:
		able.account = true
	case f.class != unsupported:
		return f
	}
	if able.constant, f = n.probeConstant(ctx); f != nil {
		return f
	}
	if !able.account && !able.constant {
		return &failure{class: unsupported, text: "the node gives neither accounts nor runs constant calls"}
	}
	var works perRung[bool]
	sure := true
	if able.constant {
		if works, sure, f = n.probeRungs(ctx, witness, before, able.account); f != nil {
			return f
		}
	}
	n.ladder.found(works)
	n.mu.Lock()
	n.able, n.probed = able, time.Now()
	if !sure {
		n.probed = n.probed.Add(unsureAge - probeAge)
	}
	n.mu.Unlock()
	n.showRung()
	return nil
}

// probeAccount reads one account alone.
func (n *node) probeAccount(ctx context.Context, c call) (string, *failure) {
	reply, _, f := request(ctx, n, "account", n.wallet.GetAccount, c.account())
	if f != nil {
		return "", f
	}
	a := c.accountAnswer(reply)
	return a.raw, a.failed
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

// probeRungs reads two balances on each rung. A rung works if it gives what a single call gave before it or gives after it: balances move
// meanwhile. sure is false when one gave no answer at all, or another value. The failure is set when nothing can be said, and when the
// node may not be used.
func (n *node) probeRungs(ctx context.Context, witness call, before string, account bool) (works perRung[bool], sure bool, failed *failure) {
	sure = true
	calls := []call{witness, {native: true, row: 1, holder: nobody}}
	for _, at := range bulk {
		if at == multicall && n.fleet.multicall == (address{}) {
			continue
		}
		r := &reading{reader: &reader{fleet: n.fleet}, node: n, began: time.Now().UTC(), outcomes: make([]fetch.Outcome, len(calls)), probing: true}
		left, f := r.request(ctx, at, calls)
		switch {
		case f != nil && (f.class == misfit || f.tooMuch()):
			continue
		case f != nil && (f.hurts() || f.class == garbage): // a gateway may choke on what is no call to a contract
			sure = false
			continue
		case f != nil:
			return works, false, f
		}
		got, whole := r.outcomes[0].Raw, len(left) == 0 && r.outcomes[1].Raw != ""
		if account && got != before {
			if before, f = n.probeAccount(ctx, witness); f != nil {
				return works, false, f
			}
		}
		works[at] = whole && got != "" && (!account || got == before)
		sure = sure && (works[at] || !whole)
	}
	return works, sure, nil
}
