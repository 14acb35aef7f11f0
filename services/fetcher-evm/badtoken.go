package fetcherevm

import (
	"context"
	"slices"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/wire"
)

const (
	// shutAfter is in how many readings a token must fail all its rows, those of two wallets at least, to be shut out.
	shutAfter = 2
	// firstShut is for how long, doubling with each trial that fails up to longestShut.
	firstShut   = time.Minute
	longestShut = 32 * time.Minute
	// trialTime is how long a trial may take before another reading makes one.
	trialTime = 30 * time.Second
	// mostBad bounds what is remembered; tokens are contracts that anybody can make.
	mostBad = 10_000
)

// badToken is a token that failed all its rows in the last reading that asked for it.
type badToken struct {
	readings int     // that it failed, in a row
	holder   address // whose row failed first
	others   bool    // rows of another wallet failed too
	answer   answer  // the error
	shut     time.Duration
	until    time.Time // shut until then, zero for not
}

// gate says what is to be done with a token's rows.
type gate int

const (
	open  gate = iota // read them
	trial             // read its witnesses alone: the token was shut out long enough
	shut              // answer them with the error that the token ended in
)

// gate gives what to do, and for a token that is shut its error. Only one reading at a time is given a trial.
func (t *tokens) gate(token address) (gate, answer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.bad[token]
	now := time.Now()
	switch {
	case b == nil || b.until.IsZero():
		return open, answer{}
	case now.Before(b.until):
		return shut, b.answer
	}
	b.until = now.Add(trialTime)
	return trial, b.answer
}

// failed notes that a reading, or a trial, ended in a's error for all of a token's rows: those of holder and, with others
// set, of more wallets. It reports whether that shuts the token out.
func (t *tokens) failed(token, holder address, others bool, a answer) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.bad[token]
	if b == nil {
		t.forgetOne()
		b = &badToken{holder: holder}
		t.bad[token] = b
	}
	b.readings++
	b.answer = a
	b.others = b.others || others || holder != b.holder
	if b.readings < shutAfter || !b.others {
		return false
	}
	news := b.shut == 0
	b.shut = min(max(firstShut, 2*b.shut), longestShut)
	b.until = time.Now().Add(b.shut)
	return news
}

// anyBad reports whether some token failed all its rows lately, which is not the case as a rule.
func (t *tokens) anyBad() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.bad) > 0
}

// forgetOne makes room for another bad token. The mutex is held.
func (t *tokens) forgetOne() {
	if len(t.bad) < mostBad {
		return
	}
	for token := range t.bad {
		delete(t.bad, token)
		return
	}
}

// served notes that a token gave a value, to a contract or to a call of its own, and reports whether it had been shut out.
func (t *tokens) served(c call, byContract bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if byContract {
		t.sample = c
	}
	b := t.bad[c.token]
	delete(t.bad, c.token)
	return b != nil && b.shut > 0
}

// admit takes out the rows of tokens that are shut: answered with their token's error, they cost no request. Of a token whose
// time is over its witnesses are read alone; what comes of them decides about the others.
func (r *reading) admit(ctx context.Context, calls []call) ([]call, *failure) {
	if !r.fleet.tokens.anyBad() {
		return calls, nil
	}
	admitted := make([]call, 0, len(calls))
	for _, run := range fetch.Runs(calls) {
		if run[0].native {
			admitted = append(admitted, run...)
			continue
		}
		g, a := r.fleet.tokens.gate(run[0].token)
		if g == trial {
			tried, f := r.ask(ctx, run[:shuffle(run, witnesses)])
			if f != nil {
				return nil, f
			}
			g = open // the token answers, or the node does not
			if guilty(tried) {
				r.fleet.tokens.failed(run[0].token, run[0].holder, false, tried[0])
				g, a = shut, tried[0]
			}
		}
		if g == open {
			admitted = append(admitted, run...)
			continue
		}
		r.fleet.metrics.shut.WithLabelValues("spared").Add(float64(len(run)))
		a.text = "the token fails for everyone and was not asked again yet: " + a.text
		for _, c := range run {
			r.settle(c, a, single)
		}
	}
	return admitted, nil
}

// judge notes for each token whether it failed all of its rows, or served one.
func (r *reading) judge(calls []call) {
	for _, run := range fetch.Runs(calls) {
		token, bad, failed := run[0].token, answer{}, 0
		for _, c := range run {
			switch o := &r.outcomes[c.row]; {
			case run[0].native:
			case o.Raw != "":
				if failed >= 0 && r.fleet.tokens.served(c, o.Proof.Route != batch.String() && o.Proof.Route != single.String()) {
					r.fleet.metrics.shut.WithLabelValues("opened").Inc()
				}
				failed = -len(run) - 1 // whatever the others are
			case o.Err != nil && o.Err.Class == wire.ClassRow:
				bad = answer{code: o.Err.Code, text: o.Err.Message}
				failed++
			}
		}
		if failed < len(run) {
			continue
		}
		others := slices.ContainsFunc(run, func(c call) bool { return c.holder != run[0].holder })
		if r.fleet.tokens.failed(token, run[0].holder, others, bad) {
			r.fleet.metrics.shut.WithLabelValues("shut").Inc()
			r.fleet.log.Warn().Stringer("contract", token).Str("code", bad.code).Str("reason", bad.text).Msg("token fails for everyone and is left alone")
		}
	}
}
