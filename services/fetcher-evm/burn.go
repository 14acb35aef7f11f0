package fetcherevm

import (
	"context"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// burnRows is how many rows one request has that may burn much gas each.
const burnRows = 20

// burn reads rows whose tokens burnt all their gas once more, with much of it and few to a request: first one of each token, whichever,
// then the others of those that it was enough for. What burns that too is a suspect.
func (r *reading) burn(ctx context.Context) *failure {
	if len(r.burnt) == 0 {
		return nil
	}
	fetch.ByAsset(r.burnt)
	list := fetch.Runs(r.burnt)
	r.burnt = nil
	first := make([]call, len(list))
	for i, run := range list {
		shuffle(run, 1)
		first[i] = run[0]
	}
	if f := r.generously(ctx, first); f != nil {
		return f
	}
	tooMuch := map[address]bool{}
	for _, c := range r.burnt {
		tooMuch[c.token] = true
	}
	var rest []call
	for _, run := range list {
		if tooMuch[run[0].token] {
			r.burnt = append(r.burnt, run[1:]...)
			continue
		}
		rest = append(rest, run[1:]...)
	}
	f := r.generously(ctx, rest)
	for _, c := range r.burnt {
		r.suspects = append(r.suspects, suspect{c, wire.CodeGasExceeded, true})
	}
	r.burnt = nil
	return f
}

// generously scans calls with much gas for each. What the node cannot scan so stays burnt.
func (r *reading) generously(ctx context.Context, calls []call) *failure {
	for len(calls) > 0 {
		at := r.node.ladder.from(r.best, r.avoid)
		if !at.scans() {
			r.burnt = append(r.burnt, calls...)
			return nil
		}
		n := min(burnRows, len(calls))
		a := r.scan(ctx, at, calls[:n], r.maxGas)
		switch f := a.failed; {
		case f == nil: // with a tail if they burnt more than the node gives a call
			calls = calls[n-len(a.left):]
		case f.ends():
			return f
		default:
			r.burnt = append(r.burnt, calls[:n]...)
			calls = calls[n:]
		}
	}
	return nil
}
