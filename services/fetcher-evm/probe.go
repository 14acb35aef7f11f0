package fetcherevm

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// probeAge is how long a probe's findings hold. Nodes are judged by what they do, never by what they call themselves:
// versions and the balancers in front of them change what a name can do.
const probeAge = 10 * time.Minute

// unsureAge is how long they hold when the node gave no answer at all on some rung: it may have been an accident.
const unsureAge = time.Minute

// farAhead is how many blocks above its head a node is asked for one that it cannot have.
const farAhead = 1 << 20

// probe finds out, unless it is known, whether the node reads at the block that it is asked for, which is all that makes
// a height worth anything, and then what rungs it has. Block hashes are used if it reads at one that it has and refuses one that
// it cannot have; else numbers, if it refuses one that it cannot have. A node that answers in either case is of no use,
// nor is one whose answers to contracts come from another block than the one that was named.
func (n *node) probe(ctx context.Context, head header) *failure {
	n.mu.Lock()
	known := !n.probed.IsZero() && time.Since(n.probed) < probeAge
	n.mu.Unlock()
	if known {
		return nil
	}
	byHash, f := n.probeHash(ctx, head)
	if f == nil && !byHash {
		f = n.probeNumber(ctx, head)
	}
	if f != nil || head.number == 0 {
		return f // of a chain that has yet to begin nothing more can be found out
	}
	works, sure, f := n.probeRungs(ctx, head, byHash)
	if f != nil {
		return f
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.byHash, n.probed, n.climbed = byHash, time.Now(), true
	if !sure {
		n.probed = n.probed.Add(unsureAge - probeAge)
	}
	n.ladder.found(works)
	n.showRung()
	return nil
}

// showRung sets the metric.
func (n *node) showRung() rung {
	best := n.ladder.from(override, perRung[bool]{})
	n.fleet.metrics.rung.WithLabelValues(n.member.Name()).Set(float64(best))
	return best
}

// probeFirst is [node.probe] for a node whose rungs were never probed, since its chain had no block.
func (n *node) probeFirst(ctx context.Context, head header) *failure {
	n.mu.Lock()
	climbed := n.climbed
	n.mu.Unlock()
	if climbed || head.number == 0 {
		return nil
	}
	return n.probe(ctx, head)
}

// takesHash reports whether a block is named by its hash.
func (n *node) takesHash() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.byHash
}

// probeHash asks at the head's parent, which the peers of a node behind a balancer should have too.
func (n *node) probeHash(ctx context.Context, head header) (bool, *failure) {
	known := head.parent
	if head.number == 0 {
		known = head.hash
	}
	if answers, f := n.answersAt(ctx, hashParameter(known)); f != nil || !answers {
		return false, f
	}
	answers, f := n.answersAt(ctx, hashParameter("0x"+strings.Repeat("5a", 32)))
	return !answers, f
}

func (n *node) probeNumber(ctx context.Context, head header) *failure {
	answers, f := n.answersAt(ctx, fmt.Sprintf(`"0x%x"`, head.number+farAhead))
	if f == nil && answers {
		f = garbled("the node reads at another block than it is asked for")
		n.quarantine(f)
	}
	return f
}

// answersAt reports whether the node gives a balance at a block. The failure is set when the node could not be asked.
func (n *node) answersAt(ctx context.Context, block string) (bool, *failure) {
	r := n.call(ctx, call{native: true}.request(block, 0))
	if r.failed != nil {
		switch r.failed.class {
		case limited, barred, slow, down, stopped:
			return false, r.failed
		}
		return false, nil
	}
	var text string
	return json.Unmarshal(r.result, &text) == nil && text != "", nil
}
