package fetcherevm

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"time"
)

// The human amount is raw shifted by the decimals that the database has. A wrong number there makes every human amount of the
// token wrong by a power of ten, so the chain is asked once for each token and then daily, before the token's first
// rows are read. What holds:
//
//   - a token of which no node has answered the question gives no values: its rows are endpoint errors and tried elsewhere;
//   - an answer holds until the next one: a question that fails later changes nothing;
//   - a token whose answer is no number from 0 to 255, or that refuses it, cannot be checked: the database is believed, and the
//     token asked again hourly;
//   - a token that says another number than the database has gives values without a human amount (a warning).

// How long an answer holds, and one that says nothing: what has no code yet may get some.
const (
	decimalsAge = 24 * time.Hour
	unknownAge  = time.Hour
)

// decimals is what a token answered.
type decimals struct {
	number  int
	known   bool // false: it says nothing that could be checked
	checked time.Time
}

// stale reports whether the token should be asked again.
func (d decimals) stale() bool {
	age := unknownAge
	if d.known {
		age = decimalsAge
	}
	return time.Since(d.checked) > age
}

// decimalsOf is the first 4 bytes of keccak256("decimals()").
const decimalsOf = "0x313ce567"

// unchecked gives the first call of each token whose decimals are not known, or not lately. never counts those that were never
// checked, which come first.
func (t *tokens) unchecked(calls []call) (due []call, never int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var old []call
	for i, c := range calls {
		if c.native || i > 0 && alike(calls[i-1], c) {
			continue
		}
		switch d, found := t.decimals[c.token]; {
		case !found:
			due = append(due, c)
		case d.stale():
			old = append(old, c)
		}
	}
	return append(due, old...), len(due)
}

// says notes what a token answered.
func (t *tokens) says(token address, d decimals) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.decimals[token] = d
}

// contradicted gives the number that tokens say of those whose calls expect another one; nil as a rule.
func (t *tokens) contradicted(calls []call) map[address]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	var wrong map[address]int
	for _, c := range calls {
		if c.native || c.decimals < 0 || c.decimals > 255 {
			continue // the writer refuses such an asset with an error of its own
		}
		if d := t.decimals[c.token]; d.known && d.number != c.decimals {
			if wrong == nil {
				wrong = map[address]int{}
			}
			wrong[c.token] = d.number
		}
	}
	return wrong
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
	r.wrong = r.fleet.tokens.contradicted(calls)
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
	d := decimals{checked: time.Now()}
	verdict := "unknown"
	switch f := reply.failed; {
	case f == nil:
		var text string
		if err := json.Unmarshal(reply.result, &text); err != nil || reply.result == nil {
			return garbled("decimals that are not a string")
		}
		data, err := parseData(text)
		if err != nil {
			return garbled("decimals that are not bytes: %v", err)
		}
		d.number, d.known = wholeDecimals(data)
	case f.class == reverted, f.class == burnt, f.class == overlong:
	default:
		return f
	}
	if d.known {
		verdict = "match"
		if d.number != c.decimals {
			verdict = "mismatch"
			r.fleet.log.Warn().Stringer("contract", c.token).Int("chain_says", d.number).Int("database_says", c.decimals).Msg("decimals differ: the token has no human amounts")
		}
	}
	r.fleet.metrics.decimals.WithLabelValues(verdict).Inc()
	r.fleet.tokens.says(c.token, d)
	return nil
}

// wholeDecimals reads the first word of a return, false when it is not a number from 0 to 255.
func wholeDecimals(data []byte) (int, bool) {
	if len(data) < 32 {
		return 0, false
	}
	word := new(big.Int).SetBytes(data[:32])
	if word.BitLen() > 8 {
		return 0, false
	}
	return int(word.Int64()), true
}
