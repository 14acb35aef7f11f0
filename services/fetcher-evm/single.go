package fetcherevm

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/balance-sync/balance-sync/shared/wire"
)

// Rung 5: single calls, for endpoints that take no batches, and as the arbiter of errors that may have been a batch's fault.

// single reads the calls one by one and settles them.
func (r *reading) single(ctx context.Context, calls []call) *failure {
	answers, f := r.ask(ctx, calls)
	for i, a := range answers {
		r.settle(calls[i], a, single)
	}
	return f
}

// ask reads the calls one by one, up to the failure that it gives, and gives the answers to those that came before. Then it asks
// once more what chain the node is of, and which block the number names: single calls cannot prove it on their way, and
// without proof there are no answers.
func (r *reading) ask(ctx context.Context, calls []call) ([]answer, *failure) {
	answers := make([]answer, 0, len(calls))
	var last *failure
	for _, c := range calls {
		a := r.askOne(ctx, c)
		if a.failed != nil && a.failed.ends() {
			last = a.failed
			break
		}
		answers = append(answers, a)
	}
	if len(answers) == 0 {
		return nil, last
	}
	replies, f := r.oneByOne(ctx, r.guards())
	if f == nil {
		f = r.guarded(replies)
	}
	if f != nil {
		return nil, f
	}
	return answers, last
}

// askOne reads one balance: with the ordinary gas, once more with much if that was not enough, and asks whether there is a contract
// at all if it returned nothing.
func (r *reading) askOne(ctx context.Context, c call) answer {
	a := c.answer(r.node.call(ctx, c.request(r.pin.block, r.gas)))
	if a.code == wire.CodeGasExceeded {
		a = c.answer(r.node.call(ctx, c.request(r.pin.block, r.maxGas)))
	}
	if a.code != wire.CodeEmptyReturn {
		return a
	}
	reply := r.node.call(ctx, c.codeRequest(r.pin.block))
	if reply.failed != nil {
		return answer{failed: reply.failed}
	}
	var text string
	if err := json.Unmarshal(reply.result, &text); err != nil {
		return answer{failed: garbled("code that is not a string")}
	}
	code, err := parseData(text)
	switch {
	case err != nil:
		return answer{failed: garbled("code that is none: %v", err)}
	case len(code) == 0:
		return answer{code: wire.CodeNoContract, text: fmt.Sprintf("no code at %s in block %d", c.token, r.pin.number)}
	}
	return a
}
