package fetch

import (
	"context"
	"strconv"
	"time"

	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/nats-io/nats.go/jetstream"
)

// publishGrace is how long after a claim's deadline its results are still worth publishing: about the margin that the claimer took off
// the lease, and a value that is late is still newer than what is stored.
const publishGrace = 5 * time.Second

// handle answers one claim and settles its message.
func (l *loop) handle(ctx context.Context, msg jetstream.Msg) {
	started := time.Now()
	outcome, rows := l.answer(ctx, msg)
	l.metrics.claims.WithLabelValues(outcome).Inc()
	l.metrics.took.Observe(time.Since(started).Seconds())
	l.log.Debug().Str("outcome", outcome).Int("rows", rows).Dur("took", time.Since(started)).Msg("claim settled")
}

// answer gives what became of the claim, a label of bounded values, and its number of rows.
func (l *loop) answer(ctx context.Context, msg jetstream.Msg) (string, int) {
	meta, err := msg.Metadata()
	if err != nil {
		l.log.Error().Err(err).Msg("claim without metadata")
		return "bad", 0
	}
	left, expired := l.left(msg, meta)
	if expired {
		return l.settle(msg.Ack(), "expired"), 0
	}
	claim, err := wire.DecodeClaim(msg.Headers().Get(wire.HeaderSchema), msg.Data())
	family, name, _ := wire.ChainOf(msg.Subject())
	if err == nil && (claim.Family != family || claim.Chain != name) {
		err = errForeignChain
	}
	if err != nil {
		l.log.Error().Err(err).Str("subject", msg.Subject()).Msg("claim cannot be read")
		return l.settle(l.conn.DeadLetter(ctx, msg, err.Error()), "dead_letter"), 0
	}
	answering, cancel := context.WithTimeout(ctx, left+publishGrace)
	defer cancel()
	if err := l.answerDelivery(answering, msg, meta, claim, left); err != nil {
		l.log.Warn().Err(err).Str("claim", claim.Name).Msg("claim is not answered")
		if ctx.Err() != nil {
			stream.GiveBack(msg)
			return "returned", len(claim.IDs)
		}
		// The broker delivers it again after AckWait, by then past its deadline. Handing it back at once would use its deliveries
		// up while results cannot be published, and blame its rows for it.
		return "unsettled", len(claim.IDs)
	}
	return l.settle(msg.Ack(), "answered"), len(claim.IDs)
}

// answerDelivery publishes an answer for every row of the claim: read together while no reader of it has died, in pieces after one
// death, unread after two. An error means that some answers may not be published.
func (l *loop) answerDelivery(ctx context.Context, msg jetstream.Msg, meta *jetstream.MsgMetadata, claim *wire.Claim, left time.Duration) error {
	a := &answerer{loop: l, claim: claim, delivery: meta.NumDelivered}
	work, cancel := context.WithTimeout(ctx, min(left, l.config.Patience))
	defer cancel()
	switch rows, deaths := rowsOf(claim), l.deaths(meta); {
	case deaths >= stream.Deliveries-1:
		return l.undeliverable(ctx, a, rows, msg)
	case deaths > 0:
		return a.inPieces(work, ctx, rows)
	default:
		return a.read(work, ctx, rows)
	}
}

// deaths is how many earlier readers of the claim can have died of it. A dead reader's claim comes again only after the consumer's AckWait; one
// that comes sooner was handed back by a process that stopped, which blames nobody. Where the broker's clock is not known every delivery counts.
func (l *loop) deaths(meta *jetstream.MsgMetadata) uint64 {
	earlier := meta.NumDelivered - 1
	if now, _, ok := l.conn.Clock.Now(); ok && l.ackWait > 0 {
		age := max(now.Sub(meta.Timestamp), 0) + l.ackWait/10 // our reading of the broker's clock is not exact
		earlier = min(earlier, uint64(age/l.ackWait))
	}
	return earlier
}

// settle names the outcome after the broker's part of it: a message that could not be settled comes again.
func (l *loop) settle(err error, outcome string) string {
	if err != nil {
		l.log.Warn().Err(err).Str("outcome", outcome).Msg("claim not settled")
		return "unsettled"
	}
	return outcome
}

// left is how much of the lease the claim has: what the claimer said was left when it published, less the message's age by
// the broker's own clock. A claim past its deadline must cost no call: its rows are leased to others by now.
func (l *loop) left(msg jetstream.Msg, meta *jetstream.MsgMetadata) (time.Duration, bool) {
	ms, err := strconv.ParseInt(msg.Headers().Get(wire.HeaderLeaseLeft), 10, 64)
	if err != nil {
		return l.config.Patience, false // not a claim of ours; decoding will tell
	}
	left := time.Duration(ms) * time.Millisecond
	if now, _, ok := l.conn.Clock.Now(); ok {
		left -= now.Sub(meta.Timestamp)
	}
	return left, left <= 0
}

// undeliverable answers a claim that killed its readers twice, without reading it, and keeps a copy for a person.
func (l *loop) undeliverable(ctx context.Context, a *answerer, rows []Row, msg jetstream.Msg) error {
	outcomes := make([]Outcome, len(rows))
	for i := range outcomes {
		outcomes[i] = RowError(wire.CodeUndeliverable, "two readers died with this claim in hand")
	}
	if err := a.publish(ctx, rows, outcomes); err != nil {
		return err
	}
	l.log.Error().Str("claim", a.claim.Name).Int("rows", len(rows)).Msg("claim is undeliverable")
	return l.conn.CopyToDeadLetters(ctx, msg, msg.Data(), wire.CodeUndeliverable, "")
}
