package fetchertron

import (
	"context"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
)

// The human amount is raw shifted by the decimals that the database has. A wrong number there makes every human amount of the
// token wrong by a power of ten, so the chain is asked once for each token and then daily, before the token's first rows are read.
// What holds, as for the EVM:
//
//   - a token of which no node has answered the question gives no values: its rows are endpoint errors and tried elsewhere;
//   - an answer holds until the next one: a question that fails later changes nothing;
//   - a token whose answer is no number from 0 to 255, or that fails at it, cannot be checked: the database is believed, and the
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
var decimalsOf = []byte{0x31, 0x3c, 0xe5, 0x67}

// unchecked gives the first call of each token whose decimals are not known, or not lately, out of calls in the order of tokens. A
// token that took all of a node's time is not asked for what matters less.
func (t *tokens) unchecked(calls []call) []call {
	t.mu.Lock()
	defer t.mu.Unlock()
	var due []call
	for i, c := range calls {
		if c.native || i > 0 && alike(calls[i-1], c) {
			continue
		}
		_, slow := t.slow[c.token]
		if d, found := t.decimals[c.token]; (!found || d.stale()) && !slow {
			due = append(due, c)
		}
	}
	return due
}

// says notes what a token answered.
func (t *tokens) says(token address, d decimals) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.decimals == nil {
		t.decimals = map[address]decimals{}
	}
	t.decimals[token] = d
}

// heard reports whether a token ever answered.
func (t *tokens) heard(token address) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, found := t.decimals[token]
	_, slow := t.slow[token]
	return found || slow
}

// contradicts gives the error of a value whose token says other decimals than the call expects; nil as a rule.
func (t *tokens) contradicts(c call) *fetch.Error {
	if c.native || c.decimals < 0 || c.decimals > 255 {
		return nil // the writer refuses such an asset with an error of its own
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	d := t.decimals[c.token]
	if !d.known || d.number == c.decimals {
		return nil
	}
	return &fetch.Error{Class: wire.ClassWarning, Code: wire.CodeDecimalsMismatch, Message: fmt.Sprintf("the token says %d decimals, the database %d", d.number, c.decimals)}
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
	word := new(big.Int).SetBytes(data[:32])
	if word.BitLen() > 8 {
		return answer{code: wire.CodeBadDecimals}
	}
	return answer{raw: word.String()}
}

// note remembers a token's answer.
func (r *reading) note(c call, a answer) {
	d, verdict := decimals{checked: time.Now()}, "unknown"
	if number, err := strconv.Atoi(a.raw); err == nil {
		d.number, d.known, verdict = number, true, "match"
		if number != c.decimals {
			verdict = "mismatch"
			r.fleet.log.Warn().Stringer("contract", c.token).Int("chain_says", number).Int("database_says", c.decimals).Msg("decimals differ: the token has no human amounts")
		}
	}
	r.fleet.metrics.decimals.WithLabelValues(verdict).Inc()
	r.fleet.tokens.says(c.token, d)
}
