package fetch

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/nats-io/nats.go"
)

// answerer publishes the results of one delivery of a claim, numbering the parts. It belongs to one goroutine.
type answerer struct {
	*loop
	claim    *wire.Claim
	delivery uint64
	part     int
}

// inPieces reads the claim a few rows at a time, in random order, and publishes each piece at once: if a row kills this
// process too, only the rows of its piece and those after it are unanswered, and the next time these are others.
func (a *answerer) inPieces(work, ctx context.Context, rows []Row) error {
	pieces := make([][]Row, 0, len(rows)/pieceRows+1)
	for start := 0; start < len(rows); start += pieceRows {
		pieces = append(pieces, rows[start:min(start+pieceRows, len(rows))])
	}
	rand.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
	for _, piece := range pieces {
		if err := a.read(work, ctx, piece); err != nil {
			return err
		}
	}
	return nil
}

// read reads the rows until each has an answer or work ends, and publishes what it has after every try: rows that are
// done do not wait for those that are not. What is left when work ends is answered with the last endpoint error.
func (a *answerer) read(work, ctx context.Context, rows []Row) error {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		outcomes := readSafely(work, a.reader, rows, a.claim.MaxHeight, a.log)
		var doneRows, againRows []Row
		var done, again []Outcome
		for i, o := range outcomes {
			if o = check(o); o.Err != nil && o.Err.Class == wire.ClassEndpoint {
				againRows, again = append(againRows, rows[i]), append(again, o)
			} else {
				doneRows, done = append(doneRows, rows[i]), append(done, o)
			}
		}
		if err := a.publish(ctx, doneRows, done); err != nil {
			return err
		}
		if len(again) == 0 {
			return nil
		}
		select {
		case <-time.After(wait/2 + rand.N(wait)):
			rows = againRows
			a.metrics.retries.Add(float64(len(rows)))
		case <-work.Done():
			if ctx.Err() != nil {
				return ctx.Err() // stopping: another instance may still have the time that we do not
			}
			return a.publish(ctx, againRows, again)
		}
	}
}

// publish sends the outcomes and returns when the broker has them. After an error some may be stored: a later delivery
// sends its own, under other Msg-Ids.
func (a *answerer) publish(ctx context.Context, rows []Row, outcomes []Outcome) error {
	if len(rows) == 0 {
		return nil
	}
	for _, result := range results(a.claim, rows, outcomes, time.Now().UTC(), a.process.Scrub) {
		parts, err := result.Encode(wire.MaxPayload)
		if err != nil {
			return err
		}
		for _, data := range parts {
			msg := &nats.Msg{Subject: wire.ResultSubject(a.claim.Family, a.claim.Chain), Data: data, Header: nats.Header{}}
			msg.Header.Set(wire.HeaderSchema, wire.SchemaResults)
			msg.Header.Set(wire.HeaderClaim, a.claim.Name)
			msg.Header.Set(wire.HeaderProducer, a.process.Producer())
			id := wire.ResultID(a.claim.Name, a.delivery, a.part)
			a.part++
			if err := a.store(ctx, id, msg); err != nil {
				return err
			}
		}
	}
	a.count(outcomes)
	return nil
}

// store waits out a stream that is full: an answer that was paid for with calls is not dropped for that.
func (a *answerer) store(ctx context.Context, id string, msg *nats.Msg) error {
	for {
		err := a.conn.Publish(ctx, stream.Results, id, msg)
		if !errors.Is(err, stream.ErrFull) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func (a *answerer) count(outcomes []Outcome) {
	for _, o := range outcomes {
		switch {
		case o.Err == nil:
			a.metrics.rows.WithLabelValues("value", "").Inc()
		default:
			a.metrics.rows.WithLabelValues(string(o.Err.Class), o.Err.Code).Inc()
		}
	}
}
