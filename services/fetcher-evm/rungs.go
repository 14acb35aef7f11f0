package fetcherevm

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/scanner"
)

// probeBelow is how many blocks below its head a node is probed: the head's own number would not show that another block was asked for.
const probeBelow = 2

// probeRungs reads a few balances on each rung, at a block below the head, and holds them against single calls. A rung works if
// it gives the same values. sure is false when a rung gave no answer at all. The failure is set when nothing can be said, and
// when the node may not be used.
func (n *node) probeRungs(ctx context.Context, head header, byHash bool) (works perRung[bool], sure bool, f *failure) {
	r := &reading{reader: &reader{fleet: n.fleet, gas: n.fleet.config.Gas, maxGas: n.fleet.config.MaxGas}, node: n, began: time.Now().UTC()}
	if r.pin, f = n.pinBelow(ctx, head, byHash); f != nil {
		return works, false, f
	}
	calls := []call{{row: 0, native: true}, {row: 1, native: true, holder: address(scanner.OverrideAddress())}}
	if c, found := n.fleet.tokens.example(); found {
		calls = append(calls, call{row: 2, holder: c.holder, token: c.token})
	}
	r.outcomes = make([]fetch.Outcome, len(calls))
	truth := make([]string, len(calls))
	known := calls[:0:0]
	for i, c := range calls {
		a := r.askOne(ctx, c)
		switch {
		case a.raw != "":
			truth[i], known = a.raw, append(known, c)
		case c.native && a.failed != nil:
			return works, false, a.failed
		}
	}
	sure = true
	for at := n.ladder.top; at < single; at++ {
		clear(r.outcomes)
		a := r.try(ctx, at, known)
		if f := a.failed; f != nil {
			switch f.class {
			case strayed:
				if f.elsewhere { // what contracts read is of another block than what the node was told to read at
					f = garbled("contracts are run at %s; if NUMBER is another chain's height here, the chain needs `height: arbsys`", f.text)
					n.quarantine(f)
				}
				return works, false, f
			case slow, down:
				sure = false
				continue
			case limited, barred, stopped, foreign, lagging, pruned:
				return works, false, f
			}
			continue
		}
		works[at] = len(a.left) == 0
		for _, c := range known { // a token may lie to contracts, but contracts must be able to ask it
			raw := r.outcomes[c.row].Raw
			works[at] = works[at] && (raw == truth[c.row] || raw != "" && !c.native)
		}
	}
	if !sure { // the node may be down altogether
		f = n.checkChain(ctx)
	}
	return works, sure, f
}

// pinBelow gives the block to probe at.
func (n *node) pinBelow(ctx context.Context, head header, byHash bool) (*pin, *failure) {
	number := max(1, head.number-probeBelow)
	block, f := n.header(ctx, fmt.Sprintf(`"0x%x"`, number))
	if f != nil {
		return nil, f
	}
	if block.number != number {
		return nil, garbled("block %d in answer to %d", block.number, number)
	}
	p := &pin{header: block, taken: time.Now(), block: fmt.Sprintf(`"0x%x"`, number), byHash: byHash}
	if byHash {
		p.block = hashParameter(block.hash)
	}
	return p, nil
}

// try reads the calls on one rung. What is not tried has misfit.
func (r *reading) try(ctx context.Context, at rung, calls []call) answered {
	switch at {
	case multicall:
		if f := r.hasCode(ctx, r.fleet.multicall); f != nil {
			return answered{failed: f}
		}
		return r.multicall(ctx, calls)
	case batch:
		if r.fleet.config.BatchSize < 2 {
			return answered{failed: &failure{class: misfit, text: "batches are switched off"}}
		}
		return r.batch(ctx, calls)
	}
	return r.scan(ctx, at, calls, r.gas)
}

// hasCode is nil when there is a contract.
func (r *reading) hasCode(ctx context.Context, at address) *failure {
	reply := r.node.call(ctx, call{token: at}.codeRequest(r.pin.block))
	if reply.failed != nil {
		return reply.failed
	}
	var text string
	if err := json.Unmarshal(reply.result, &text); err != nil || len(text) <= len("0x") {
		return &failure{class: misfit, text: "no contract there"}
	}
	return nil
}
