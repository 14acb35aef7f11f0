package fetchertron

import (
	"context"
	"math/rand/v2"
)

// suspect is a row that a request of many gave an error of the row's own. Until it has been read alone it may have been the request's.
type suspect struct {
	call call
	code string
}

// question is what is confirmed once: rows of one token with one error have one cause.
type question struct {
	token address
	code  string
}

// confirm reads one suspect of each token and error alone, another one each time: the first could have an error of its own for good. Where that confirms an error, it is the error of all of them. Where it
// gives a value the request was wrong, and each of the others is read alone too. Where the node failed, nothing was said.
func (r *reading) confirm(ctx context.Context) *failure {
	var order []question
	cases := map[question][]call{}
	for _, s := range r.suspects {
		q := question{s.call.token, s.code}
		if cases[q] == nil {
			order = append(order, q)
		}
		cases[q] = append(cases[q], s.call)
	}
	r.suspects = nil
	var again []call
	for len(order) > 0 {
		asked := order[:min(len(order), span)]
		order = order[len(asked):]
		first := make([]call, len(asked))
		for i, q := range asked {
			all := cases[q]
			k := rand.IntN(len(all))
			all[0], all[k] = all[k], all[0]
			first[i] = all[0]
		}
		verdicts, proof, f := r.ask(ctx, first, r.askConfirming)
		for i, verdict := range verdicts {
			all := cases[asked[i]]
			switch {
			case verdict.failed != nil:
				r.count("open", len(all))
			case verdict.code != "":
				r.count("confirmed", len(all))
			default:
				r.count("overturned", len(all))
				again = append(again, all[1:]...)
				all = all[:1]
			}
			for _, c := range all {
				r.settle(c, verdict, proof)
			}
		}
		if f != nil {
			return f
		}
	}
	return r.single(ctx, again)
}

func (r *reading) count(verdict string, rows int) {
	r.fleet.metrics.confirmations.WithLabelValues(verdict).Add(float64(rows))
}
