package claimer

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestReleaseGivesRowsBackAsTheyWere(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	ids := d.rows(d.token(bsc, "0x1"), 3)
	s := d.store()
	c := claim(t, s, bsc, 5)
	for round, want := range []int64{3, 0} { // the second time there is nothing left to give back
		n, err := s.Release(t.Context(), c.Name, c.IDs(), 0)
		if err != nil || n != want {
			t.Fatalf("round %d: %d rows, %v; want %d", round, n, err, want)
		}
	}
	for _, id := range ids {
		d.want(id, free, "priority = 0", "due_at <= now()", "last_error IS NULL", "error_count = 0")
	}
	if again := claim(t, s, bsc, 5); len(again.Rows) != 3 || again.Lapsed != 0 {
		t.Errorf("released rows are leased again without a lapse: %+v", again)
	}
}

func TestReleaseNeverFreesAnothersLease(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	ids := d.rows(d.token(bsc, "0x1"), 3)
	s := d.store()
	mine := claim(t, s, bsc, 5)
	d.lapse(ids...)
	theirs := claim(t, NewStore(d.pool, "other", testLease, 5), bsc, 5)
	d.set("processing_status = 'withdrawing', locked_by = '"+mine.Name+"'", ids[2])
	if n, err := s.Release(t.Context(), mine.Name, mine.IDs(), 1); err != nil || n != 0 {
		t.Errorf("released %d rows, %v", n, err)
	}
	d.want(ids[0], held(theirs.Name))
	d.want(ids[1], held(theirs.Name))
	d.want(ids[2], "processing_status = 'withdrawing'")
}

func TestARowReleasedByTheFastLaneComesBackToIt(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	ids := d.rows(d.token(bsc, "0x1"), 2)
	d.set("priority = 2", ids[0])
	d.set("priority = 1", ids[1])
	s := d.store()
	c, err := s.ClaimFast(t.Context(), bsc, 5)
	if err != nil || len(c.Rows) != 2 {
		t.Fatalf("%+v, %v", c, err)
	}
	d.set("priority = 2", ids[1]) // asked for now, while it was leased
	if _, err := s.Release(t.Context(), c.Name, c.IDs(), 1); err != nil {
		t.Fatal(err)
	}
	d.want(ids[0], "priority = 1")
	d.want(ids[1], "priority = 2")
}

func TestTheFastLaneTakesWhatWasAskedForFirst(t *testing.T) {
	d := newDatabase(t)
	bsc, eth := d.chain("bsc"), d.chain("eth")
	asset := d.token(bsc, "0x1")
	ordinary, fresh, asked := d.rows(asset, 3), d.rows(asset, 3), d.rows(asset, 2)
	d.set("priority = 1", fresh...)
	d.set("priority = 2", asked...)
	d.set("priority = 2", d.row(d.token(eth, "0x1")))
	late := d.row(asset)
	d.set("priority = 2, due_at = now() + interval '1 h'", late)
	s := d.store()
	for _, round := range []struct {
		ask  int
		want []uuid.UUID
	}{{1, asked[:1]}, {5, append(asked[1:], fresh...)}, {5, nil}} {
		c, err := s.ClaimFast(t.Context(), bsc, round.ask)
		if err != nil {
			t.Fatal(err)
		}
		leased := map[uuid.UUID]bool{} // the claim's order is the sweep's
		for _, row := range c.Rows {
			leased[row.ID] = true
			d.want(row.ID, "priority = 0", held(c.Name))
		}
		for _, id := range round.want {
			if !leased[id] || len(c.Rows) != len(round.want) {
				t.Fatalf("asked for %d: leased %v, want %v", round.ask, c.IDs(), round.want)
			}
		}
		if len(round.want) == 0 && len(c.Rows) > 0 {
			t.Errorf("leased %v", c.IDs())
		}
	}
	for _, id := range append(ordinary, late) {
		d.want(id, "processing_status = 'idle'")
	}
}

func TestClaimsUseTheirIndexes(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	d.rows(d.token(bsc, "0x1"), 20_000)
	d.do("UPDATE wallet_balances SET priority = 1 WHERE sweep_seq % 5000 = 0")
	d.do("VACUUM ANALYZE wallet_balances")
	s := d.store()
	plan := func(sql string, args ...any) string {
		return strings.Join(all[string](d, "EXPLAIN "+sql, args...), "\n")
	}
	sweep := plan(s.sweep.atMost(100).sql, "balsync:test:x", bsc, testLease, int64(5000), int64(6000))
	if !strings.Contains(sweep, "wallet_balances_sweep") || strings.Contains(sweep, "Seq Scan on wallet_balances") {
		t.Errorf("the sweep does not use its index:\n%s", sweep)
	}
	fast := plan(s.fast.atMost(50).sql, "balsync:test:x", bsc, testLease)
	if !strings.Contains(fast, "wallet_balances_fast") || strings.Contains(fast, "Seq Scan on wallet_balances") {
		t.Errorf("the fast lane does not use its index:\n%s", fast)
	}
	next := plan(text("next.sql"), bsc, int64(10_000))
	if !strings.Contains(next, "wallet_balances_sweep") {
		t.Errorf("the jump does not use the index:\n%s", next)
	}
}

// All lease arithmetic is the database's: a service whose clock is wrong must not change what is leased, or for how long.
func TestNoClockOfOursReachesTheDatabase(t *testing.T) {
	placeholders := regexp.MustCompile(`\$\d+::timestamp|interval '[^']*' \+ \$`)
	names, err := files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range names {
		sql := text(file.Name())
		if placeholders.MatchString(sql) {
			t.Errorf("%s takes a time from outside", file.Name())
		}
		if strings.Contains(sql, "locked_until") && !strings.Contains(sql, "now()") && file.Name() != "release.sql" {
			t.Errorf("%s judges leases without the database's clock", file.Name())
		}
	}
	d := newDatabase(t)
	bsc := d.chain("bsc")
	id := d.row(d.token(bsc, "0x1"))
	s := d.store()
	s.now = func() time.Time { return time.Time{} } // the year 1
	c := claim(t, s, bsc, 5)
	d.want(id, held(c.Name), "locked_until BETWEEN now() + interval '50 s' AND now() + interval '60 s'")
}
