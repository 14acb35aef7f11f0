package claimer

import (
	"testing"

	"github.com/google/uuid"
)

func TestRowsOfACrashedWorkerComeBack(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	ids := d.rows(d.token(bsc, "0x1"), 40)
	crashed := claim(t, NewStore(d.pool, "crashed", testLease), bsc, 50)
	if len(crashed.Rows) != 40 {
		t.Fatalf("claimed %+v", crashed)
	}
	s := d.store()
	if c := claim(t, s, bsc, 50); c.Picked != 0 {
		t.Fatalf("leased under the holder's eyes: %v", c.Verdicts)
	}
	d.lapse(ids...)
	c := claim(t, s, bsc, 50)
	if len(c.Rows) != 40 || c.Lapsed != 40 {
		t.Fatalf("claimed %+v", c)
	}
	for _, id := range ids {
		d.want(id, held(c.Name))
	}
}

func TestFirstLapseIsLeasedAgainAtOnceAndTheSecondBacksOff(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	id := d.row(d.token(bsc, "0x1"))
	d.set("last_error = 'reverted', error_count = 1", id)
	s := d.store()
	claim(t, s, bsc, 10)

	d.lapse(id)
	c := claim(t, s, bsc, 10)
	if len(c.Rows) != 1 || c.Lapsed != 1 || c.Verdicts[Leased] != 1 {
		t.Fatalf("first lapse: %+v", c)
	}
	d.want(id, held(c.Name), "last_error = 'lease_expired' AND last_error_at > now() - interval '1 min'", "error_count = 2", "due_at = '-infinity'")

	d.lapse(id)
	if v := verdictOf(t, s, bsc); v != LeaseExpired {
		t.Fatalf("second lapse: %s", v)
	}
	d.want(id, free, "last_error = 'lease_expired'", "error_count = 3", "due_at BETWEEN now() + interval '25 s' AND now() + interval '61 s'")
	if c := claim(t, s, bsc, 10); c.Picked != 0 {
		t.Errorf("picked while it backs off: %v", c.Verdicts)
	}

	d.set("due_at = now()", id)
	if v := verdictOf(t, s, bsc); v != Leased {
		t.Errorf("after its backoff: %s", v)
	}
	d.want(id, "error_count = 3") // it is no lapse that brought it back this time
}

func TestRowThatWasAskedForDoesNotBackOffForALapse(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	id := d.row(d.token(bsc, "0x1"))
	s := d.store()
	for round := range 3 {
		if round > 0 {
			d.lapse(id)
		}
		d.set("priority = 2", id)
		if v := verdictOf(t, s, bsc); v != Leased {
			t.Fatalf("lapse %d: %s", round, v)
		}
	}
	d.want(id, "last_error = 'lease_expired' AND error_count = 2")
}

func TestRowThatBacksOffForALapseKeepsItsPriority(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	id := d.row(d.token(bsc, "0x1"))
	claim(t, d.store(), bsc, 10)
	d.lapse(id)
	d.set("priority = 1, last_error = 'lease_expired'", id)
	if v := verdictOf(t, d.store(), bsc); v != LeaseExpired {
		t.Fatal(v)
	}
	d.want(id, "priority = 1")
}

func TestErrorCountStopsBeforeItOverflows(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	d.do("ALTER TABLE wallet_balances ALTER COLUMN error_count TYPE smallint")
	bad, good, orphan := d.row(d.token(bsc, "0x1")), d.row(d.token(bsc, "0x2")), d.row(uuid.New())
	d.do("UPDATE asset_on_chain SET decimals = NULL WHERE contract_address = '0x1'")
	d.set("error_count = 32767", bad, orphan)
	c := claim(t, d.store(), bsc, 10)
	if c.Verdicts[NoTarget] != 1 || len(c.Rows) != 1 || c.Rows[0].ID != good {
		t.Fatalf("claimed %+v", c)
	}
	if _, err := d.store().AdoptOrphans(t.Context(), 0, 10); err != nil {
		t.Fatal(err)
	}
	d.want(bad, "error_count = 32767")
	d.want(orphan, "error_count = 32767")
}
