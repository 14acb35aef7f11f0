package fetch

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/rs/zerolog"
)

// pieceRows is how many rows are read together when reading them all together failed us.
const pieceRows = 25

// readSafely reads the rows and turns a panic, or an answer of another length, into errors of the rows that cause it: after a
// panic it reads in pieces, then row by row, so that one poisonous row costs its neighbours nothing.
func readSafely(ctx context.Context, reader Reader, rows []Row, atLeast int64, log zerolog.Logger) []Outcome {
	outcomes, err := try(ctx, reader, rows, atLeast)
	if err == nil {
		return outcomes
	}
	outcomes = isolate(ctx, reader, rows, atLeast)
	internal := 0
	for _, o := range outcomes {
		if o.Err != nil && o.Err.Code == wire.CodeInternal {
			internal++
		}
	}
	log.Error().Err(err).Int("rows", len(rows)).Int("internal", internal).Msg("reader panicked")
	return outcomes
}

// isolate reads rows that panicked together, in smaller and smaller pieces.
func isolate(ctx context.Context, reader Reader, rows []Row, atLeast int64) []Outcome {
	if len(rows) == 1 {
		return []Outcome{RowError(wire.CodeInternal, "the reader fails on this row")}
	}
	size := pieceRows
	if len(rows) <= pieceRows {
		size = 1
	}
	all := make([]Outcome, 0, len(rows))
	for start := 0; start < len(rows); start += size {
		piece := rows[start:min(start+size, len(rows))]
		outcomes, err := try(ctx, reader, piece, atLeast)
		if err != nil {
			outcomes = isolate(ctx, reader, piece, atLeast)
		}
		all = append(all, outcomes...)
	}
	return all
}

// try is one call of the reader. A panic is an error with its stack.
func try(ctx context.Context, reader Reader, rows []Row, atLeast int64) (outcomes []Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	outcomes = reader.Read(ctx, rows, atLeast)
	if len(outcomes) != len(rows) {
		return nil, fmt.Errorf("reader gave %d outcomes for %d rows", len(outcomes), len(rows))
	}
	return outcomes, nil
}
