package claimer

import (
	"context"
	"time"
)

// sweep goes round the chain until ctx ends. A claim in hand is published or given back within work.
func (l *lane) sweep(ctx, work context.Context, s *Sweep) {
	var t trouble
	for ctx.Err() == nil {
		var pass *Pass
		wait := l.turn(ctx, work, &t, func(ctx context.Context, rows int) (*Claimed, error) {
			step, err := s.Step(ctx, rows)
			if step.Skipped != 0 {
				l.metrics.skipped.WithLabelValues(l.chain.Name).Inc()
				l.log.Error().Int64("sweep_seq", step.Skipped).Msg("row passed by: claims fail on it")
			}
			pass = step.Pass
			return step.Claimed, err
		})
		if pass != nil {
			wait = max(wait, pass.Rest(l.config.PassPace))
			l.passed(pass, wait)
		}
		if wait > 0 {
			l.rest(ctx, wait)
		}
	}
}

func (l *lane) passed(p *Pass, rest time.Duration) {
	if p.Whole {
		l.metrics.pass.WithLabelValues(l.chain.Name).Set((p.Took + rest).Seconds())
	}
	l.log.Debug().Int64("picked", p.Picked).Int64("covered", p.Covered).Dur("took", p.Took).Dur("rest", rest).Msg("pass")
}

// fast looks at the fast lane at a steady pace until ctx ends. More rows than a claim takes are also met by the sweep, in larger claims.
func (l *lane) fast(ctx, work context.Context) {
	var t trouble
	for ctx.Err() == nil {
		wait := l.turn(ctx, work, &t, func(ctx context.Context, rows int) (*Claimed, error) {
			return l.store.ClaimFast(ctx, l.id, rows)
		})
		l.rest(ctx, max(wait, l.config.FastPoll))
	}
}
