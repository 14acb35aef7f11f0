package claimer

import (
	"testing"
	"time"

	"github.com/google/uuid"
)

// pass steps through one pass of a sweep and gives what was leased and how many steps it took.
func pass(t testing.TB, s *Sweep, rows int) (leased []uuid.UUID, steps int, over *Pass) {
	t.Helper()
	for steps = 1; steps < 10_000; steps++ {
		step, err := s.Step(t.Context(), rows)
		if err != nil {
			t.Fatal(err)
		}
		if step.Pass != nil {
			return leased, steps, step.Pass
		}
		if step.Claimed != nil {
			leased = append(leased, step.Claimed.IDs()...)
		}
	}
	t.Fatal("the pass does not end")
	return nil, 0, nil
}

// fromStart gives a sweep that has made its first pass, which starts anywhere.
func fromStart(t testing.TB, s *Store, chain uuid.UUID, window int64) *Sweep {
	t.Helper()
	sweep := NewSweep(s, chain, window)
	sweep.random = func(n int64) int64 { return n - 1 } // right before the last row, so that it takes next to nothing
	if _, _, over := pass(t, sweep, 1); over.Whole {
		t.Fatal("the first pass of a process is not a whole one")
	}
	return sweep
}

// The seed asked for the rows that had waited longest: fifty that always failed were all that it ever saw.
func TestFiftyFailingRowsDoNotBlockTheRest(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	lost := d.rows(d.token(bsc, "0x1"), 50)
	d.do("UPDATE wallets SET address = NULL") // those of the fifty: nothing to read, so none can be leased
	good := d.rows(d.token(bsc, "0x2"), 100)
	sweep := fromStart(t, d.store(), bsc, 20) // windows smaller than the block of bad rows
	d.set(free2, good...)
	leased, _, over := pass(t, sweep, 10)
	if missing := len(good) - len(leased); missing > 0 {
		t.Errorf("%d of %d good rows were not leased", missing, len(good))
	}
	if over.Picked < int64(len(good)) {
		t.Errorf("%+v", over)
	}
	for _, id := range lost {
		d.want(id, "last_error = 'no_target'", "due_at > now()", "processing_status = 'idle'")
	}
	if _, _, again := pass(t, sweep, 10); again.Picked != 0 {
		t.Errorf("the failing rows came back before their time: %+v", again)
	}
}

// free2 makes rows due and free again.
const free2 = "processing_status = 'idle', locked_by = NULL, locked_until = NULL, due_at = '-infinity'"

// A window in which every picked row is one that cannot be leased has as many rows as were asked for: the cursor must follow them, or the
// same rows would be asked for for ever, or those behind them never.
func TestTheCursorFollowsTheRowsThatWerePicked(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	asset := d.token(bsc, "0x1")
	bad := d.rows(asset, 30)
	d.do("UPDATE wallets SET address = NULL")
	good := d.rows(asset, 5)
	s := d.store()
	sweep := NewSweep(s, bsc, 50_000)
	sweep.random = func(int64) int64 { return 0 }
	var cursor int64
	for step := range 3 {
		found, err := sweep.Step(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		if c := found.Claimed; c == nil || c.Picked != 10 || len(c.Rows) != 0 || c.Last != d.seq(bad[10*step+9]) || c.Last <= cursor {
			t.Fatalf("step %d: %+v", step, found.Claimed)
		}
		cursor = found.Claimed.Last
	}
	found, err := sweep.Step(t.Context(), 10)
	if err != nil || len(found.Claimed.Rows) != len(good) {
		t.Fatalf("%+v, %v", found.Claimed, err)
	}
}

func TestAnEmptyStretchIsJumpedOver(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	asset := d.token(bsc, "0x1")
	d.rows(asset, 3)
	d.do("SELECT setval(pg_get_serial_sequence('wallet_balances', 'sweep_seq'), 10000000)")
	d.rows(asset, 3)
	sweep := NewSweep(d.store(), bsc, 1000)
	sweep.random = func(int64) int64 { return 0 }
	leased, steps, _ := pass(t, sweep, 10)
	if len(leased) != 6 || steps > 4 {
		t.Errorf("%d rows in %d steps over ten million places, want 6 in at most 4", len(leased), steps)
	}
}

func TestASweepStartsAnywhereAndStillMeetsEveryRow(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	ids := d.rows(d.token(bsc, "0x1"), 100)
	sweep := NewSweep(d.store(), bsc, 50_000)
	sweep.random = func(n int64) int64 { return n - 30 }
	first, _, over := pass(t, sweep, 50)
	if len(first) != 30 || over.Whole {
		t.Errorf("the first pass took %d rows, whole: %t", len(first), over.Whole)
	}
	rest, _, over := pass(t, sweep, 50)
	if len(rest) != len(ids)-30 || !over.Whole {
		t.Errorf("the second pass took %d rows, whole: %t", len(rest), over.Whole)
	}
	starts := map[int64]bool{}
	for range 20 {
		s := NewSweep(d.store(), bsc, 50_000)
		if _, err := s.Step(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		starts[s.cursor] = true
	}
	if len(starts) < 5 {
		t.Errorf("20 sweeps start at %d places", len(starts))
	}
}

func TestOneChainsSweepDoesNotSeeAnothersRows(t *testing.T) {
	d := newDatabase(t)
	bsc, eth := d.chain("bsc"), d.chain("eth")
	mine, others := d.token(bsc, "0x1"), d.token(eth, "0x1")
	for range 10 {
		d.row(mine)
		d.rows(others, 9)
	}
	sweep := NewSweep(d.store(), bsc, 7)
	sweep.random = func(int64) int64 { return 0 }
	if leased, _, _ := pass(t, sweep, 100); len(leased) != 10 {
		t.Errorf("%d rows", len(leased))
	}
	if n := get[int](d, "SELECT count(*)::int FROM wallet_balances WHERE chain_id = $1 AND processing_status <> 'idle'", eth); n != 0 {
		t.Errorf("%d rows of the other chain were touched", n)
	}
}

func TestAPassThatFindsNearlyNothingIsPaced(t *testing.T) {
	const pace = 10 * time.Second
	for _, tt := range []struct {
		name string
		pass Pass
		want time.Duration
	}{
		{"nothing was due", Pass{Whole: true, Covered: 1000, Took: time.Second}, 9 * time.Second},
		{"one row in a hundred was due", Pass{Whole: true, Picked: 10, Covered: 1000, Took: time.Second}, 9 * time.Second},
		{"one row in fifty was due", Pass{Whole: true, Picked: 20, Covered: 1000, Took: time.Second}, 0},
		{"it took longer than its pace", Pass{Whole: true, Covered: 1000, Took: time.Minute}, 0},
		{"the first pass of a process", Pass{Covered: 10}, 0},
	} {
		if got := tt.pass.Rest(pace); got != tt.want {
			t.Errorf("%s: rests %v, want %v", tt.name, got, tt.want)
		}
	}
}

// A row on which the statement itself fails must cost its neighbours nothing but smaller claims.
func TestARowThatClaimsFailOnIsPassedBy(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	asset := d.token(bsc, "0x1")
	d.rows(asset, 10)
	spoilt := d.row(asset)
	d.rows(asset, 10)
	d.addresses("SELECT w.id AS wallet_id, NULL::uuid AS chain_id, CASE WHEN w.address = 'spoilt' THEN (1 / (length(w.address) - 6))::text ELSE w.address END AS address, true AS active FROM wallets w")
	d.do("UPDATE wallets SET address = 'spoilt' WHERE id = (SELECT wallet_id FROM wallet_balances WHERE id = $1)", spoilt)
	sweep := NewSweep(d.store(), bsc, 50_000)
	sweep.random = func(int64) int64 { return 0 }
	leased, skipped := 0, int64(0)
	for {
		step, err := sweep.Step(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		if step.Pass != nil {
			break
		}
		if step.Skipped != 0 {
			skipped = step.Skipped
		}
		if step.Claimed != nil {
			leased += len(step.Claimed.Rows)
		}
	}
	if leased != 20 || skipped != d.seq(spoilt) {
		t.Errorf("%d rows leased, place %d passed by; want 20 and %d", leased, skipped, d.seq(spoilt))
	}
}
