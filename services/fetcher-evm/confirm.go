package fetcherevm

import "context"

// suspect is a row that a batch gave an error of the row's own. Until it has been read alone it may have been the batch's.
type suspect struct {
	call call
	code string
}

// question is what is confirmed once: rows of one token with one error have one cause.
type question struct {
	token address
	code  string
}

// confirm reads one suspect of each token and error alone. Where that confirms an error, it is the error of all of them. Where it
// gives a value the batch was wrong, and each of the others is read alone too. Where the node failed, nothing was said.
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
	first := make([]call, len(order))
	for i, q := range order {
		first[i] = cases[q][0]
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
			again = append(again, all[1:]...)
			all = all[:1]
		}
		for _, c := range all {
			r.settle(c, verdict, r.alone)
		}
	}
	if f != nil {
		return f
	}
	return r.single(ctx, again)
}

func (r *reading) count(verdict string, rows int) {
	r.fleet.metrics.confirmations.WithLabelValues(verdict).Add(float64(rows))
}
