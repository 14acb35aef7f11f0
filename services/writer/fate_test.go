package writer

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func TestAppliedWritesTheValueAndFreesTheLease(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	r := b.leased("balsync:a:1")
	b.exec(`UPDATE wallet_balances SET error_count = 3, last_error = 'reverted', last_error_at = now() WHERE id = $1`, r.ID)
	got := b.expect(Applied, r)
	b.want(got, `{"on_chain_balance_raw": "1500000", "on_chain_balance_human": 1.5, "observed_epoch": 0, "observed_height": 100,
		"observed_at": "2026-01-02T03:04:05+00:00", "observed_by": "node-a/batch", "last_checked": "2026-01-02T03:04:05+00:00",
		"last_error": null, "last_error_at": null, "error_count": 0, "sync_count": 1, "priority": 0}`)
	b.want(got, free)
	if got["last_processed_at"] == nil {
		t.Error("last_processed_at is not set")
	}
	if due := b.due(r); due < 28 || due > 30 {
		t.Errorf("due in %.1f s, want the interval of 30", due)
	}
}

func TestLateResultDoesNotFreeAnothersLease(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	r := b.leased("balsync:a:1")
	b.lease(r, "balsync:b:2") // the first lease lapsed
	before := b.row(r)
	got := b.expect(Late, r)
	b.want(got, `{"on_chain_balance_raw": "1500000", "observed_height": 100, "sync_count": 0, "locked_by": "balsync:b:2", "processing_status": "processing"}`)
	for _, column := range []string{"locked_until", "due_at", "last_processed_at"} {
		if got[column] != before[column] {
			t.Errorf("%s moved from %v to %v", column, before[column], got[column])
		}
	}
}

// A claim's name on a row that is not in its hands any more gives no right to it.
func TestLateResultDoesNotFreeARowThatIsNotProcessing(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	r := b.leased("balsync:a:1")
	b.exec(`UPDATE wallet_balances SET processing_status = 'idle' WHERE id = $1`, r.ID)
	got := b.expect(Late, r)
	b.want(got, `{"on_chain_balance_raw": "1500000", "locked_by": "balsync:a:1", "sync_count": 0}`)
}

func TestStaleFreesTheLeaseAndKeepsTheNewerValue(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	r := b.leased("balsync:a:1")
	b.expect(Applied, r)
	b.lease(r, "balsync:a:2")
	before := b.row(r)
	old := r
	old.Claim, old.Height, old.Raw = "balsync:a:2", 99, "1"
	got := b.expect(Stale, old)
	b.want(got, free)
	for _, column := range []string{"on_chain_balance_raw", "on_chain_balance_human", "observed_height", "observed_at", "last_checked", "last_processed_at", "sync_count"} {
		if got[column] != before[column] {
			t.Errorf("%s moved from %v to %v", column, before[column], got[column])
		}
	}
	if due := b.due(r); due < 28 || due > 30 {
		t.Errorf("due in %.1f s, want the interval of 30", due)
	}
}

func TestFailedNotesTheErrorAndFreesTheLease(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	for _, tt := range []struct {
		kind       Kind
		count      string
		least, top float64 // s until due
	}{
		{RowFault, "3", 29, 60}, // two failures before: 15 s doubled twice, half of it jitter
		{EndpointFault, "2", 6, 15},
	} {
		r := b.leased("balsync:a:1")
		b.exec(`UPDATE wallet_balances SET error_count = 2, on_chain_balance_raw = '7', observed_height = 5, observed_at = 'epoch' WHERE id = $1`, r.ID)
		got := b.expect(Failed, r.fail(tt.kind, "reverted", "why"))
		b.want(got, `{"on_chain_balance_raw": "7", "observed_height": 5, "last_error": "reverted: why", "last_error_at": "2026-01-02T03:04:05+00:00",
			"last_checked": null, "last_processed_at": null, "sync_count": 0, "error_count": `+tt.count+`}`)
		b.want(got, free)
		if due := b.due(r); due < tt.least || due > tt.top {
			t.Errorf("kind %s: due in %.1f s, want %v to %v", tt.kind, due, tt.least, tt.top)
		}
	}
}

func TestSupersededChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	r := b.leased("balsync:a:1")
	b.expect(Applied, r)
	before := b.row(r)
	older := r
	older.Height = 1
	for name, again := range map[string]Row{
		"the same again":                  r,
		"an older value":                  older,
		"a row error without a lease":     r.fail(RowFault, "reverted", ""),
		"an endpoint error without lease": r.fail(EndpointFault, "unreachable", ""),
	} {
		if diff := cmp.Diff(before, b.expect(Superseded, again)); diff != "" {
			t.Errorf("%s (-before +after):\n%s", name, diff)
		}
	}
}

func TestARowOfAnotherWorkerIsNeverTouched(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	for _, status := range []string{"consolidating", "withdrawing", "anything else"} {
		r := b.leased("balsync:a:1")
		// Even with our claim's name left in locked_by.
		b.exec(`UPDATE wallet_balances SET processing_status = $2 WHERE id = $1`, r.ID, status)
		before := b.row(r)
		warned := r
		warned.Kind, warned.Error = Warned, "bad_decimals"
		for _, result := range []Row{r, warned, r.fail(RowFault, "reverted", ""), r.fail(EndpointFault, "unreachable", "")} {
			if diff := cmp.Diff(before, b.expect(Foreign, result)); diff != "" {
				t.Errorf("%s, kind %s (-before +after):\n%s", status, result.Kind, diff)
			}
		}
	}
}

func TestBusyRowsAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	held, unheld := b.leased("balsync:a:1"), b.leased("balsync:a:1")
	tx, err := b.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT FROM wallet_balances WHERE id = $1 FOR UPDATE`, held.ID); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Fate{Busy, Applied}, b.apply(held, unheld)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := tx.Rollback(context.Background()); err != nil {
		t.Fatal(err)
	}
	b.expect(Applied, held)
}

func TestUnknownRowsAreNamedAndCostNothing(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	deleted, known := b.leased("balsync:a:1"), b.leased("balsync:a:1")
	b.exec(`DELETE FROM wallet_balances WHERE id = $1`, deleted.ID)
	never := known
	never.ID = uuid.New()
	if diff := cmp.Diff([]Fate{Unknown, Applied, Unknown}, b.apply(deleted, known, never)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestARowOfAnotherChainIsUnknown(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	r := b.leased("balsync:a:1")
	b.exec(`UPDATE wallet_balances SET asset_on_chain_id = $2 WHERE id = $1`, r.ID, id(t, "a4"))
	before := b.row(r)
	if diff := cmp.Diff(before, b.expect(Unknown, r)); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

func TestACheckIsNeverDatedInTheFuture(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	r, failed := b.leased("balsync:a:1"), b.leased("balsync:a:1")
	r.ObservedAt = time.Now().Add(time.Hour)
	failed.ObservedAt = r.ObservedAt
	b.expect(Applied, r)
	b.expect(Failed, failed.fail(RowFault, "reverted", ""))
	if got := b.text(`SELECT count(*) FROM wallet_balances WHERE last_checked > now() OR last_error_at > now()`); got != "0" {
		t.Errorf("%s rows are dated in the future", got)
	}
}
