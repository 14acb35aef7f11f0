package db

import (
	"context"
	"strconv"
	"time"

	"github.com/balance-sync/balance-sync/services/claimer"
	"github.com/balance-sync/balance-sync/services/writer"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// leased is a claim on its way from the claimer to the writer.
type leased struct {
	chain uuid.UUID
	*claimer.Claimed
}

// claimAndApply runs one claimer and one writer, chain after chain, with a new balance for each row. A row is due again as soon as it is written.
func (t *table) claimAndApply(ctx context.Context, opt options) (int64, error) {
	t.claiming, t.applying = 0, 0
	lessor, store := claimer.NewStore(t.pool, "bench", 2*time.Minute, opt.batch), writer.NewStore(t.pool)
	claims := make(chan leased, 2)
	end := time.Now().Add(opt.length)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(claims)
		for time.Now().Before(end) {
			began := time.Now()
			c, err := t.claim(ctx, lessor, opt.batch)
			if err != nil {
				return err
			}
			t.claiming += time.Since(began)
			select {
			case claims <- c:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	var written int64
	group.Go(func() error {
		for c := range claims {
			rows, began := results(c), time.Now()
			outcomes, err := store.Apply(ctx, c.chain, 0, rows)
			if err != nil {
				return err
			}
			t.applying += time.Since(began)
			for _, o := range outcomes {
				if o.Fate == writer.Applied {
					written++
				}
			}
		}
		return nil
	})
	return written, group.Wait()
}

// claim leases the next rows of the chain whose turn it is, and turns its cursor.
func (t *table) claim(ctx context.Context, lessor *claimer.Store, batch int) (leased, error) {
	chain := t.chains[t.next]
	t.next = (t.next + 1) % len(t.chains)
	const window = 50_000
	from := t.cursor[chain]
	c, err := lessor.ClaimSweep(ctx, chain, from, from+window, batch)
	if err != nil {
		return leased{}, err
	}
	t.cursor[chain] = from + window
	if c.Full() {
		t.cursor[chain] = c.Last
	} else if next, _, err := lessor.Next(ctx, chain, from+window); err != nil {
		return leased{}, err
	} else if next == 0 {
		t.cursor[chain] = 0
	}
	return leased{chain, c}, nil
}

// results makes up what a fetcher would have found: a value that differs from the last.
func results(c leased) []writer.Row {
	now := time.Now()
	rows := make([]writer.Row, len(c.Rows))
	for i, r := range c.Rows {
		rows[i] = writer.Row{ID: r.ID, Claim: c.Name, Wallet: r.Wallet, Asset: r.Asset, Epoch: r.Epoch, Kind: writer.Value,
			Raw: strconv.FormatInt(now.UnixNano()+int64(i), 10), Height: r.Height + 1, ObservedAt: now, ObservedBy: "bench/none"}
	}
	return rows
}
