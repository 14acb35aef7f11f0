package claimer

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Orphans is what a step through the rows without a chain found.
type Orphans struct {
	// Joined have a chain now, Lost have none that is known.
	Joined, Lost int
	// Last is the sweep_seq of the last of them. Full: there may be more behind it.
	Last int64
	Full bool
}

// AdoptOrphans looks at due rows that have no chain, above from in the order of the sweep. Sizes are as for [Store.ClaimSweep].
func (s *Store) AdoptOrphans(ctx context.Context, from int64, rows int) (Orphans, error) {
	rung := s.orphans.atMost(rows)
	found, err := s.db.Query(ctx, rung.sql, from)
	if err != nil {
		return Orphans{}, fmt.Errorf("look at rows without a chain: %w", err)
	}
	var o Orphans
	var seq int64
	var joined bool
	_, err = pgx.ForEachRow(found, []any{&seq, &joined}, func() error {
		o.Last = max(o.Last, seq)
		if joined {
			o.Joined++
		} else {
			o.Lost++
		}
		return nil
	})
	if err != nil {
		return Orphans{}, fmt.Errorf("look at rows without a chain: %w", err)
	}
	o.Full = o.Joined+o.Lost >= rung.rows
	return o, nil
}

// keepOrphans passes through the rows without a chain until ctx ends, one pass after the other at a steady pace.
func (c *crew) keepOrphans(ctx, work context.Context) {
	for {
		c.process.Report("postgres.orphans", c.passOrphans(ctx, work))
		if !pause(ctx, c.config.OrphanPace) {
			return
		}
	}
}

func (c *crew) passOrphans(ctx, work context.Context) error {
	for from := int64(0); ctx.Err() == nil; {
		limited, cancel := context.WithTimeout(work, claimFor)
		o, err := c.store.AdoptOrphans(limited, from, c.config.BatchSize)
		cancel()
		if err != nil {
			c.process.Log.Warn().Err(err).Msg("rows without a chain not looked at")
			return err
		}
		c.metrics.orphans.WithLabelValues("joined").Add(float64(o.Joined))
		c.metrics.orphans.WithLabelValues("no_target").Add(float64(o.Lost))
		if o.Joined+o.Lost > 0 {
			c.process.Log.Info().Int("joined", o.Joined).Int("no_target", o.Lost).Msg("rows without a chain")
		}
		if !o.Full {
			return nil
		}
		from = o.Last
	}
	return nil
}

// claimFor bounds a statement of the claimer. None waits for a lock, so only a database in trouble takes as long.
const claimFor = 15 * time.Second
