package fetcherevm

import (
	"context"
	"math/rand/v2"
)

// suspect is a row that a request gave an error of the row's own. Until it has been read alone it may have been the request's.
type suspect struct {
	call call
	code string
	// fair says that the row had all the gas that it would have alone, as in a scan: the request cannot be to blame.
	fair bool
}

// question is what is confirmed once: rows of one token with one error have one cause.
type question struct {
	token address
	code  string
}

// confirm finds out what is behind the errors of rows: of tokens that burnt their gas with more of it, then of all alone. Rows
// that are overturned are read together from outside, and what fails there too once more alone.
func (r *reading) confirm(ctx context.Context) *failure {
	if f := r.burn(ctx); f != nil {
		return f
	}
	again, f := r.verdicts(ctx)
	if f != nil || len(again) == 0 {
		return f
	}
	r.best = max(r.best, batch)
	if f = r.read(ctx, again); f != nil {
		return f
	}
	if again, f = r.verdicts(ctx); f != nil {
		return f
	}
	return r.single(ctx, again)
}

// verdicts reads one suspect of each token and error alone, another one each time: the first could have an error of its own for good. Where that confirms an error, it is the error of all of them. Where it
// gives a value the request was wrong, and the others are to be read again. Where the node failed, nothing was said.
func (r *reading) verdicts(ctx context.Context) ([]call, *failure) {
	var order []question
	cases := map[question][]suspect{}
	for _, s := range r.suspects {
		q := question{s.call.token, s.code}
		if cases[q] == nil {
			order = append(order, q)
		}
		cases[q] = append(cases[q], s)
	}
	r.suspects = nil
	first := make([]call, len(order))
	for i, q := range order {
		all := cases[q]
		k := rand.IntN(len(all))
		all[0], all[k] = all[k], all[0]
		first[i] = all[0].call
	}
	verdicts, f := r.ask(ctx, first)
	var again []call
	for i, verdict := range verdicts {
		all := cases[order[i]]
		switch {
		case verdict.failed != nil:
			r.count("open", len(all))
		case verdict.code != "":
			r.count("confirmed", len(all))
		default:
			r.count("overturned", len(all))
			if all[0].fair {
				r.fleet.tokens.keepApart(order[i].token)
			}
			for _, s := range all[1:] {
				again = append(again, s.call)
			}
			all = all[:1]
		}
		for _, s := range all {
			r.settle(s.call, verdict, single)
		}
	}
	return again, f
}

func (r *reading) count(verdict string, rows int) {
	r.fleet.metrics.confirmations.WithLabelValues(verdict).Add(float64(rows))
}
