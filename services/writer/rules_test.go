package writer

import (
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// The order of values: (epoch, height, observed_at, raw), each deciding only where those before it are equal.
func TestNewerIsDecidedByEpochHeightTimeAndAmount(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	change := func(f func(*Row)) func(Row) Row {
		return func(r Row) Row { f(&r); return r }
	}
	for name, tt := range map[string]struct {
		change func(Row) Row
		want   Fate
	}{
		"same":                  {change(func(*Row) {}), Superseded},
		"higher":                {change(func(r *Row) { r.Height++; r.Raw = "1"; r.ObservedAt = b.start.Add(-time.Hour) }), Late},
		"lower":                 {change(func(r *Row) { r.Height--; r.Raw = "9999999"; r.ObservedAt = b.start.Add(time.Hour) }), Superseded},
		"lower, next epoch":     {change(func(r *Row) { r.Epoch++; r.Height = 1 }), Late},
		"higher, epoch before":  {change(func(r *Row) { r.Epoch--; r.Height = 1 << 40 }), Superseded},
		"same height, later":    {change(func(r *Row) { r.ObservedAt = b.start.Add(time.Microsecond); r.Raw = "1" }), Late},
		"same height, earlier":  {change(func(r *Row) { r.ObservedAt = b.start.Add(-time.Microsecond); r.Raw = "9999999" }), Superseded},
		"same moment, more":     {change(func(r *Row) { r.Raw = "10000000" }), Late}, // longer, though it sorts before as a text
		"same moment, less":     {change(func(r *Row) { r.Raw = "999999" }), Superseded},
		"same, without a human": {change(func(r *Row) { r.Kind, r.Error = Warned, "bad_decimals" }), Superseded},
	} {
		r := b.leased("balsync:a:1")
		r.Epoch = 5
		b.expect(Applied, r)
		if got := b.apply(tt.change(r)); got[0] != tt.want {
			t.Errorf("%s: fate %q, want %q", name, got[0], tt.want)
		}
	}
}

func TestAWarningStoresTheRawAmountAndNoHumanOne(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	r := b.leased("balsync:a:1")
	b.exec(`UPDATE wallet_balances SET on_chain_balance_raw = '7', on_chain_balance_human = 7, observed_height = 5, observed_at = 'epoch' WHERE id = $1`, r.ID)
	r.Kind, r.Error = Warned, "bad_decimals: the token says 18"
	got := b.expect(Applied, r)
	b.want(got, `{"on_chain_balance_raw": "1500000", "on_chain_balance_human": null, "observed_height": 100, "last_error": "bad_decimals: the token says 18",
		"error_count": 1, "sync_count": 1}`)
	b.want(got, free)
	if due := b.due(r); due < 28 || due > 30 {
		t.Errorf("due in %.1f s, want the interval of 30", due)
	}
}

func TestAnErrorCountThatCanGoNoFurtherKeepsNoValueAway(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.exec(`ALTER TABLE wallet_balances ALTER COLUMN error_count TYPE smallint`)
	r := b.leased("balsync:a:1")
	b.exec(`UPDATE wallet_balances SET error_count = 32767 WHERE id = $1`, r.ID)
	r.Kind, r.Error = Warned, "decimals_mismatch"
	got := b.expect(Applied, r)
	b.want(got, `{"on_chain_balance_raw": "1500000", "error_count": 32767}`)
	b.want(got, free)
}

func TestARefreshAskedForDuringALeaseIsNotLost(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	for _, kind := range []Kind{Value, Warned, RowFault, EndpointFault} {
		r := b.leased("balsync:a:1")
		b.exec(`UPDATE wallet_balances SET priority = 2 WHERE id = $1`, r.ID)
		switch r.Kind = kind; kind {
		case Warned:
			r.Error = "bad_decimals"
		case RowFault, EndpointFault:
			r = r.fail(kind, "reverted", "")
		}
		b.apply(r)
		b.want(b.row(r), `{"priority": 2, "due_at": "-infinity"}`)
		b.want(b.row(r), free)
	}
}

func TestAValueForAnotherWalletOrAssetIsNeverWritten(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	wallet, asset := b.leased("balsync:a:1"), b.leased("balsync:a:1")
	wallet.Wallet = uuid.New()
	asset.Asset = wire.Asset{ID: id(t, "a2"), Decimals: 18, Native: true}
	for _, r := range []Row{wallet, asset} {
		b.want(b.expect(Stale, r), `{"on_chain_balance_raw": null, "observed_height": null, "sync_count": 0, "processing_status": "idle"}`)
	}
}

// The row was given another wallet while it was read: the trigger made it due, and the old answer must not put it off.
func TestAnAnswerForTheEpochBeforeLeavesTheRowDue(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	for _, kind := range []Kind{Value, RowFault, EndpointFault} {
		r := b.leased("balsync:a:1")
		b.exec(`UPDATE wallet_balances SET wallet_id = gen_random_uuid() WHERE id = $1`, r.ID)
		b.exec(`UPDATE wallet_balances SET priority = 0 WHERE id = $1`, r.ID)
		if kind != Value {
			r = r.fail(kind, "reverted", "")
		}
		b.apply(r)
		got := b.row(r)
		b.want(got, `{"due_at": "-infinity", "observed_epoch": 1, "on_chain_balance_raw": null}`)
		b.want(got, free)
	}
}

// A lapsed lease is the error lease_expired. What ends it, and what does not.
func TestAGoodReadEndsTheErrorsBeforeIt(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	for name, tt := range map[string]struct {
		last  string // last_error, noted a minute before or after the reading started
		after bool
		held  bool
		stale bool
		cured bool
	}{
		"held, newer":                                  {"reverted", true, true, false, true},
		"late, read after the error":                   {"reverted", false, false, false, true},
		"late, read before the error":                  {"reverted", true, false, false, false},
		"stale answer of the lapsed lease's successor": {"lease_expired", false, true, true, true},
		"stale answer to another error":                {"reverted", false, true, true, false},
		"superseded":                                   {"lease_expired", false, false, true, false},
	} {
		r := b.leased("balsync:a:1")
		if tt.stale {
			b.exec(`UPDATE wallet_balances SET on_chain_balance_raw = '7', observed_height = 1000, observed_at = 'epoch' WHERE id = $1`, r.ID)
		}
		if !tt.held {
			b.lease(r, "balsync:b:2")
		}
		noted := b.start.Add(-time.Minute)
		if tt.after {
			noted = b.start.Add(time.Minute)
		}
		b.exec(`UPDATE wallet_balances SET error_count = 4, last_error = $2, last_error_at = $3 WHERE id = $1`, r.ID, tt.last, noted)
		b.apply(r)
		if cured := b.row(r)["last_error"] == nil; cured != tt.cured {
			t.Errorf("%s: error cleared %t, want %t", name, cured, tt.cured)
		}
		want := `{"error_count": 4}`
		if tt.cured {
			want = `{"error_count": 0, "last_error_at": null}`
		}
		b.want(b.row(r), want)
	}
}

func TestTheSecondResultOfARowInOneBatchIsJudgedAgainstTheFirst(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	r, other := b.leased("balsync:a:1"), b.leased("balsync:a:1")
	newer, older := r, r
	newer.Height, newer.Raw = 101, "2"
	older.Height, older.Raw = 99, "3"
	if diff := cmp.Diff([]Fate{Applied, Applied, Late, Superseded}, b.apply(r, other, newer, older)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.want(b.row(r), `{"on_chain_balance_raw": "2", "observed_height": 101, "sync_count": 1}`)
	if xmin := `SELECT count(DISTINCT xmin::text) FROM wallet_balances`; b.text(xmin) != "1" {
		t.Error("the batch took several transactions")
	}
}

func TestLimitsEndWithTheTransaction(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.apply(b.leased("balsync:a:1"))
	if got := b.text(`SELECT current_setting('statement_timeout') || ' ' || current_setting('lock_timeout')`); got != "0 0" {
		t.Errorf("statement_timeout and lock_timeout of the session are %s", got)
	}
}
