package writer

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/jackc/pgx/v5/pgconn"
)

// reject settles the one row of a portion that Postgres refuses: the row is told so, which frees its lease, and its result becomes a dead
// letter of one row. A crash in between brings the message again: the row error is then superseded, and the letter is stored once.
func (a *applier) reject(ctx context.Context, b *batch, p portion, cause error) error {
	at := p.at[0]
	text := a.process.Scrub.Scrub(refusal(cause))
	outcomes, err := a.insist(ctx, []Row{p.rows[0].fail(RowFault, wire.CodeRejected, text)})
	switch {
	case err == nil && outcomes[0].Fate == Busy:
		b.note(p, outcomes) // comes round with the busy rows
		return nil
	case err == nil, IsData(err):
		// Refused even so: no word of ours can be written to this row. Its lease ends by itself.
		b.outcomes[at].Fate = Rejected
	default:
		return err
	}
	a.log.Error().Err(cause).Stringer("row", p.rows[0].ID).Str("claim", p.rows[0].Claim).Msg("row rejected by the database")
	a.testify(ctx, b, at, wire.CodeRejected+": "+text)
	return nil
}

// testify stores one row of the batch as a dead letter. If that fails the message is owed, and comes again.
func (a *applier) testify(ctx context.Context, b *batch, at int, reason string) {
	from := b.from[at]
	m := b.messages[from.message]
	if m.owed != nil {
		return // it comes again anyhow, and each try takes seconds
	}
	letter, err := m.result.Row(from.row).Encode(wire.MaxPayload)
	if err == nil {
		err = a.conn.CopyToDeadLetters(ctx, m.msg, letter[0], reason, strconv.Itoa(from.row))
	}
	if err != nil {
		a.log.Error().Err(err).Msg("dead letter not stored")
		m.owed = err
	}
}

// bury moves a message to the dead letters. One that finds no room there is delivered again later.
func (a *applier) bury(ctx context.Context, m *message, reason string) {
	if err := a.conn.DeadLetter(ctx, m.msg, reason); err != nil {
		a.log.Error().Err(err).Str("reason", reason).Msg("dead letter not stored")
		a.metrics.messages.WithLabelValues(a.chain.Name, "returned").Inc()
		return
	}
	a.log.Error().Str("reason", reason).Uint64("sequence", m.meta.Sequence.Stream).Msg("result is a dead letter")
	a.metrics.messages.WithLabelValues(a.chain.Name, "dead_letter").Inc()
}

// refusal is what Postgres said, without the details, which quote the row.
func refusal(err error) string {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err.Error()
	}
	return fmt.Sprintf("%s (%s)", pg.Message, pg.Code)
}
