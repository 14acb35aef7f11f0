package fetcherevm

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/balance-sync/balance-sync/shared/fetch"
)

// What a token's decimals are good for, and how long they hold, is said at [fetch.Decimals]: here is how a node is asked.

// decimalsOf is the first 4 bytes of keccak256("decimals()").
const decimalsOf = "0x313ce567"

// unchecked gives the first call of each token whose decimals are not known, or not lately. never counts those that were never
// checked, which come first.
func (t *tokens) unchecked(calls []call) (due []call, never int) {
	var old []call
	for i, c := range calls {
		if c.native || i > 0 && fetch.Alike(calls[i-1], c) {
			continue
		}
		switch again, first := t.decimals.Due(c.token); {
		case first:
			due = append(due, c)
		case again:
			old = append(old, c)
		}
	}
	return append(due, old...), len(due)
}

// checkDecimals asks for the decimals of the tokens that are due, all in one request as a rule, and gives the calls that may be
// read. Those of a token that was never checked, and is not now, fail with the endpoint.
func (r *reading) checkDecimals(ctx context.Context, calls []call) ([]call, *failure) {
	due, never := r.fleet.tokens.unchecked(calls)
	if len(due) > 0 {
		requests := make([]request, len(due))
		for i, c := range due {
			requests[i] = request{"eth_call", fmt.Sprintf(`[{"to":"%s","data":"%s","gas":"0x%x"},%s]`, c.token, decimalsOf, r.gas, r.pin.block)}
		}
		replies, f := r.many(ctx, requests)
		failed := map[address]*failure{}
		for i, c := range due {
			why := f
			if i < len(replies) {
				why = r.heard(c, replies[i])
			}
			if why != nil {
				r.fleet.metrics.decimals.WithLabelValues("open").Inc()
				if i < never {
					failed[c.token] = why
				}
			}
		}
		if f != nil && f.ends() && never > 0 {
			return nil, f
		}
		calls = r.without(calls, failed)
	}
	return calls, nil
}

// without gives the calls whose tokens did not fail, and the others their failure.
func (r *reading) without(calls []call, failed map[address]*failure) []call {
	if len(failed) == 0 {
		return calls
	}
	var left []call
	for _, c := range calls {
		if f := failed[c.token]; f != nil && !c.native {
			r.fail(c, f)
			continue
		}
		left = append(left, c)
	}
	return left
}

// heard judges a token's answer. The failure is set when it is not the token's but the node's.
func (r *reading) heard(c call, reply reply) *failure {
	var data []byte
	switch f := reply.failed; {
	case f == nil:
		var text string
		if err := json.Unmarshal(reply.result, &text); err != nil || reply.result == nil {
			return garbled("decimals that are not a string")
		}
		var err error
		if data, err = parseData(text); err != nil {
			return garbled("decimals that are not bytes: %v", err)
		}
	case f.class == reverted, f.class == burnt, f.class == overlong:
	default:
		return f
	}
	verdict := r.fleet.tokens.decimals.Note(c.token, fetch.ReadDecimals(data), c.decimals, r.fleet.log)
	r.fleet.metrics.decimals.WithLabelValues(verdict).Inc()
	return nil
}
