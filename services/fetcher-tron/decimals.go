package fetchertron

import (
	"context"
	"strconv"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
)

// What a token's decimals are good for, and how long they hold, is said at [fetch.Decimals]: here is how a node is asked.

// decimalsOf is the first 4 bytes of keccak256("decimals()").
var decimalsOf = []byte{0x31, 0x3c, 0xe5, 0x67}

// unchecked gives the first call of each token whose decimals are not known, or not lately, out of calls in the order of tokens. A
// token that took all of a node's time is not asked for what matters less.
func (t *tokens) unchecked(calls []call) []call {
	t.mu.Lock()
	defer t.mu.Unlock()
	var due []call
	for i, c := range calls {
		if c.native || i > 0 && fetch.Alike(calls[i-1], c) {
			continue
		}
		_, slow := t.slow[c.token]
		if again, _ := t.decimals.Due(c.token); again && !slow {
			due = append(due, c)
		}
	}
	return due
}

// heard reports whether a token ever answered.
func (t *tokens) heard(token address) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, slow := t.slow[token]
	_, never := t.decimals.Due(token)
	return !never || slow
}

// checkDecimals asks for the decimals of the tokens that are due, and gives the calls that may be read. Those of a token that was
// never checked, and is not now, fail with the endpoint.
func (r *reading) checkDecimals(ctx context.Context, calls []call) ([]call, *failure) {
	due := r.fleet.tokens.unchecked(calls)
	if len(due) == 0 || !r.node.can().constant { // which gives no values of tokens either
		return calls, nil
	}
	failed := map[address]*failure{}
	for len(due) > 0 {
		n := min(len(due), span)
		answers, _, f := r.ask(ctx, due[:n], r.askDecimals)
		for i, c := range due[:n] {
			why := f
			if i < len(answers) {
				why = answers[i].failed
			}
			if why != nil {
				r.fleet.metrics.decimals.WithLabelValues("open").Inc()
				failed[c.token] = why
				continue
			}
			r.note(c, answers[i])
		}
		if due = due[n:]; f != nil && f.ends() {
			return nil, f
		}
	}
	left := calls[:0]
	for _, c := range calls {
		if f := failed[c.token]; f != nil && !c.native && !r.fleet.tokens.heard(c.token) {
			r.fail(c, f)
			continue
		}
		left = append(left, c)
	}
	return left, nil
}

// askDecimals makes one call. raw is the number; a code, whatever it is, says that the token has none to tell.
func (r *reading) askDecimals(ctx context.Context, c call) answer {
	question := &core.TriggerSmartContract{OwnerAddress: nobody.wire(), ContractAddress: c.token.wire(), Data: decimalsOf}
	reply, over, f := request(ctx, r.node, "decimals", r.node.wallet.TriggerConstantContract, question)
	if f != nil {
		return answer{failed: f}
	}
	data, f := returned(reply)
	switch {
	case over != r.from.over:
		return answer{failed: &failure{class: moved, text: "the connection was replaced during the read"}}
	case f != nil && f.class == exhausted: // what it does to a node is found out by the question that matters
		return answer{code: wire.CodeGasExceeded}
	case f != nil:
		return c.refused(f)
	case !echoes(reply, question):
		return answer{failed: garbled("the answer to another call")}
	case len(data) < 32:
		return answer{code: wire.CodeShortReturn}
	}
	said := fetch.ReadDecimals(data)
	if !said.Known {
		return answer{code: wire.CodeBadDecimals}
	}
	return answer{raw: strconv.Itoa(said.Number)}
}

// note remembers a token's answer.
func (r *reading) note(c call, a answer) {
	said := fetch.Said{At: time.Now()}
	if number, err := strconv.Atoi(a.raw); err == nil {
		said.Number, said.Known = number, true
	}
	verdict := r.fleet.tokens.decimals.Note(c.token, said, c.decimals, r.fleet.log)
	r.fleet.metrics.decimals.WithLabelValues(verdict).Inc()
}
