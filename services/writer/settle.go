package writer

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// busyTries and busyWait say how often and how soon a row that another transaction holds is tried again; each wait is four times the one
// before. A neighbour that holds a row longer keeps its chain waiting no longer: the row's lease ends by itself.
const (
	busyTries = 3
	busyWait  = 20 * time.Millisecond
)

// retryMost bounds the wait between tries of a batch that the database cannot take.
const retryMost = 2 * time.Second

// settle brings every row of the batch to its end, as far as ctx lasts. An error means that it did not last.
func (a *applier) settle(ctx context.Context, b *batch) error {
	if err := a.persist(ctx, b, whole(b)); err != nil {
		return err
	}
	wait := busyWait
	for range busyTries {
		busy := b.busy()
		if len(busy.rows) == 0 {
			return nil
		}
		a.metrics.busyTries.WithLabelValues(a.chain.Name).Add(float64(len(busy.rows)))
		if err := pause(ctx, wait); err != nil {
			return err
		}
		if err := a.persist(ctx, b, busy); err != nil {
			return err
		}
		wait *= 4
	}
	return nil
}

// portion is some rows of a batch; at[i] is the index in the batch of rows[i].
type portion struct {
	rows []Row
	at   []int
}

func whole(b *batch) portion {
	p := portion{rows: b.rows, at: make([]int, len(b.rows))}
	for i := range p.at {
		p.at[i] = i
	}
	return p
}

// busy gives the rows that another transaction kept from us.
func (b *batch) busy() portion {
	var p portion
	for i, o := range b.outcomes {
		if o.Fate == Busy {
			p.rows, p.at = append(p.rows, b.rows[i]), append(p.at, i)
		}
	}
	return p
}

// halves splits a portion in two, in its order.
func (p portion) halves() (portion, portion) {
	n := len(p.rows) / 2
	return portion{p.rows[:n], p.at[:n]}, portion{p.rows[n:], p.at[n:]}
}

// persist applies a portion in one transaction and notes the outcomes. If Postgres refuses it for its data, each half is
// applied in a transaction of its own, and so on down to the row that is at fault.
func (a *applier) persist(ctx context.Context, b *batch, p portion) error {
	outcomes, err := a.insist(ctx, p.rows)
	switch {
	case err == nil:
		b.note(p, outcomes)
		return nil
	case !IsData(err):
		return err
	case len(p.rows) == 1:
		return a.reject(ctx, b, p, err)
	}
	a.metrics.bisections.WithLabelValues(a.chain.Name).Inc()
	head, tail := p.halves()
	if err := a.persist(ctx, b, head); err != nil {
		return err
	}
	return a.persist(ctx, b, tail)
}

// note keeps a refusal that was decided before the rows reached the store.
func (b *batch) note(p portion, outcomes []Outcome) {
	for i, o := range outcomes {
		at := p.at[i]
		b.outcomes[at].Fate = o.Fate
		if o.Refused != "" {
			b.outcomes[at].Refused = o.Refused
		}
	}
}

// insist applies rows, all of them again and again until the database takes them or refuses their data, or ctx ends. Meanwhile the
// chain is not ready and says why.
func (a *applier) insist(ctx context.Context, rows []Row) ([]Outcome, error) {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, retryMost) {
		outcomes, err := a.store.Apply(ctx, a.id, a.interval, rows)
		if err == nil || IsData(err) {
			a.report(nil)
			return outcomes, err
		}
		if ctx.Err() == nil {
			a.metrics.retries.WithLabelValues(a.chain.Name, reason(err)).Inc()
			a.report(err)
		}
		if pause(ctx, wait/2+rand.N(wait)) != nil {
			return nil, errors.Join(ctx.Err(), err)
		}
	}
}

// pause waits, and gives ctx's error if that ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
