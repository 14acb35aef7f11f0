package writer

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

// charge is what only the claim that holds a row may move.
type charge struct {
	Status, LockedBy, Error string
	LockedUntil, Due        time.Time
	Processed, ErrorAt      time.Time
	Syncs, Errors           int
}

const holderRows = 12 // in one check; each lives a life of its own

func TestOnlyTheHolderMovesErrorsAndCountersAndOnceAClaim(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	rapid.Check(t, func(t *rapid.T) {
		rows := make([]Row, holderRows)
		for i := range rows {
			rows[i] = Row{ID: uuid.New(), Wallet: uuid.New(), Asset: b.token}
			b.exec(`INSERT INTO wallet_balances (id, wallet_id, asset_on_chain_id) VALUES ($1, $2, $3)`, rows[i].ID, rows[i].Wallet, b.token.ID)
		}
		answered := map[string]int{} // by row and claim
		for range 6 {
			for i := range rows {
				if claim := rapid.IntRange(0, 2).Draw(t, "lease"); claim > 0 {
					b.lease(rows[i], fmt.Sprintf("balsync:a:%d", claim))
					answered[fmt.Sprint(i, "balsync:a:", claim)] = 0 // a lease of its own, though the name comes again
				}
				rows[i] = drawAnswer(t, b, rows[i])
			}
			before := b.charges(rows)
			fates := b.apply(rows...)
			after := b.charges(rows)
			for i, r := range rows {
				held := before[i].LockedBy == r.Claim
				if held {
					answered[fmt.Sprint(i, r.Claim)]++
				}
				if n := answered[fmt.Sprint(i, r.Claim)]; n > 1 {
					t.Fatalf("claim %s was answered %d times", r.Claim, n)
				}
				if diff := cmp.Diff(expected(before[i], r, fates[i], held, after[i]), after[i]); diff != "" {
					t.Fatalf("kind %s, fate %s, held %t (-want +got):\n%s", r.Kind, fates[i], held, diff)
				}
			}
		}
	})
}

func drawAnswer(t *rapid.T, b *bed, r Row) Row {
	r.Claim = fmt.Sprintf("balsync:a:%d", rapid.IntRange(1, 2).Draw(t, "answers"))
	r.ObservedAt = b.start.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "at")) * time.Second)
	r.Kind, r.Raw, r.Error, r.Height = Value, "5", "", rapid.Int64Range(1, 3).Draw(t, "height")
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		r = r.fail(RowFault, "reverted", "")
	case 1:
		r = r.fail(EndpointFault, "unreachable", "")
	case 2:
		r.Kind, r.Error = Warned, "bad_decimals"
	}
	return r
}

// expected is the rule, column by column; only times that the database chose are taken from what it did.
func expected(was charge, r Row, fate Fate, held bool, got charge) charge {
	want := was
	cured := fate == Late && r.Kind == Value && r.ObservedAt.After(was.ErrorAt)
	if held {
		want.Status, want.LockedBy, want.LockedUntil, want.Due = "idle", "", time.Time{}, got.Due
		cured = r.Kind == Value && (fate == Applied || was.Error == "lease_expired")
	}
	if held && fate == Applied {
		want.Syncs, want.Processed = was.Syncs+1, got.Processed
	}
	if held && r.Kind != Value {
		want.Error, want.ErrorAt = r.Error, r.ObservedAt
	}
	if held && (r.Kind == RowFault || r.Kind == Warned) {
		want.Errors = was.Errors + 1
	}
	if cured {
		want.Error, want.ErrorAt, want.Errors = "", time.Time{}, 0
	}
	return want
}

func (b *bed) charges(rows []Row) []charge {
	b.Helper()
	ids := make([]uuid.UUID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	const never = `, '0001-01-01')`
	found, err := b.pool.Query(context.Background(), `SELECT processing_status, coalesce(locked_by, ''), coalesce(last_error, ''), coalesce(locked_until`+never+`,
		CASE WHEN due_at = '-infinity' THEN '0001-01-01' ELSE due_at END, coalesce(last_processed_at`+never+`, coalesce(last_error_at`+never+`, sync_count, error_count
		FROM wallet_balances w JOIN unnest($1::uuid[]) WITH ORDINALITY AS t (id, place) USING (id) ORDER BY place`, ids)
	if err != nil {
		b.Fatal(err)
	}
	list, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (c charge, err error) {
		err = row.Scan(&c.Status, &c.LockedBy, &c.Error, &c.LockedUntil, &c.Due, &c.Processed, &c.ErrorAt, &c.Syncs, &c.Errors)
		for _, at := range []*time.Time{&c.LockedUntil, &c.Due, &c.Processed, &c.ErrorAt} {
			*at = at.UTC()
		}
		return c, err
	})
	if err != nil {
		b.Fatal(err)
	}
	return list
}
