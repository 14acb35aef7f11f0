package claimer

import (
	"strings"
	"testing"

	"github.com/google/uuid"
)

// shown is every row with all its columns.
func (d *database) shown() map[uuid.UUID]string {
	d.t.Helper()
	rows := map[uuid.UUID]string{}
	for _, id := range all[[16]byte](d, "SELECT id FROM wallet_balances") {
		rows[id] = d.show(id)
	}
	return rows
}

// unchanged fails the test for each row that is not as it was, in any column.
func (d *database) unchanged(before map[uuid.UUID]string) {
	d.t.Helper()
	for id, row := range before {
		if now := d.show(id); now != row {
			d.t.Errorf("was %s\nis  %s", row, now)
		}
	}
}

func TestRowOfANeighbourIsNeverTouched(t *testing.T) {
	for name, columns := range map[string]string{
		"consolidating":                       "processing_status = 'consolidating'",
		"withdrawing, lock over":              "processing_status = 'withdrawing', locked_by = 'wallet-service', locked_until = now() - interval '1 h'",
		"withdrawing, asked for now":          "processing_status = 'withdrawing', priority = 2",
		"idle, locked":                        "locked_by = 'wallet-service', locked_until = now() + interval '1 h'",
		"status null, locked":                 "processing_status = NULL, locked_by = 'x', locked_until = now() + interval '1 h'",
		"processing, locked":                  "processing_status = 'processing', locked_by = 'x', locked_until = now() + interval '1 h'",
		"processing, nobody knows until when": "processing_status = 'processing', locked_by = 'x', priority = 2",
		"a lease of ours that lasts":          "processing_status = 'processing', locked_by = 'balsync:other:1', locked_until = now() + interval '10 s', priority = 2",
		"a status nobody has heard of":        "processing_status = ''",
	} {
		t.Run(name, func(t *testing.T) {
			d := newDatabase(t)
			bsc := d.chain("bsc")
			id := d.row(d.token(bsc, "0x1"))
			orphan := d.row(uuid.New())
			d.set(columns, id, orphan)
			before := d.shown()
			s := d.store()
			c := claim(t, s, bsc, 10)
			fast, err := s.ClaimFast(t.Context(), bsc, 10)
			if err != nil {
				t.Fatal(err)
			}
			orphans, err := s.AdoptOrphans(t.Context(), 0, 10)
			if err != nil {
				t.Fatal(err)
			}
			released, err := s.Release(t.Context(), c.Name, []uuid.UUID{id, orphan}, 1)
			if err != nil {
				t.Fatal(err)
			}
			if c.Picked+fast.Picked+orphans.Joined+orphans.Lost > 0 || released > 0 {
				t.Errorf("sweep %v, fast %v, orphans %+v, released %d", c.Verdicts, fast.Verdicts, orphans, released)
			}
			d.unchanged(before)
		})
	}
}

func TestFreeRowIsLeasedWhateverItsLockColumnsHold(t *testing.T) {
	for name, columns := range map[string]string{
		"status null":                      "processing_status = NULL",
		"lock of another that is over":     "locked_by = 'x', locked_until = now() - interval '1 s'",
		"work of another that never ended": "processing_status = 'processing', locked_by = 'x', locked_until = now() - interval '1 s'",
	} {
		t.Run(name, func(t *testing.T) {
			d := newDatabase(t)
			bsc := d.chain("bsc")
			id := d.row(d.token(bsc, "0x1"))
			d.set(columns, id)
			c := claim(t, d.store(), bsc, 10)
			if c.Verdicts[Leased] != 1 || c.Lapsed != 0 {
				t.Fatalf("claimed %+v", c)
			}
			d.want(id, held(c.Name), "last_error IS NULL AND error_count = 0")
		})
	}
}

func TestClaimWaitsForNoLock(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	token := d.token(bsc, "0x1")
	ids := d.rows(token, 3)
	orphan := d.row(uuid.New())
	tx, err := d.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if _, err := tx.Exec(t.Context(), "SELECT FROM wallet_balances WHERE id = ANY ($1) FOR UPDATE", []uuid.UUID{ids[1], orphan}); err != nil {
		t.Fatal(err)
	}
	s := d.store()
	c := claim(t, s, bsc, 10)
	if c.Picked != 2 || c.Rows[0].ID != ids[0] || c.Rows[1].ID != ids[2] {
		t.Errorf("claimed %+v", c)
	}
	if o, err := s.AdoptOrphans(t.Context(), 0, 10); err != nil || o.Lost != 0 {
		t.Errorf("orphans %+v, %v", o, err)
	}
	// A release leaves a row that is locked to its lease, and frees the others.
	if _, err := tx.Exec(t.Context(), "SELECT FROM wallet_balances WHERE id = $1 FOR UPDATE", ids[0]); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Release(t.Context(), c.Name, c.IDs(), 0); err != nil || n != 1 {
		t.Errorf("released %d, %v", n, err)
	}
	if n, err := s.Rehome(t.Context(), ids); err != nil || n != 0 {
		t.Errorf("moved %d, %v", n, err)
	}
}

func TestRowThatIsNotDueIsNotPicked(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	ids := d.rows(d.token(bsc, "0x1"), 2)
	d.set("due_at = now() + interval '1 min', priority = 2", ids[0])
	orphan := d.row(uuid.New())
	d.set("due_at = now() + interval '1 min'", orphan)
	before := map[uuid.UUID]string{ids[0]: d.show(ids[0]), orphan: d.show(orphan)}
	s := d.store()
	if c := claim(t, s, bsc, 10); c.Picked != 1 || c.Rows[0].ID != ids[1] {
		t.Errorf("claimed %+v", c)
	}
	if c, err := s.ClaimFast(t.Context(), bsc, 10); err != nil || c.Picked != 0 {
		t.Errorf("fast lane %+v, %v", c, err)
	}
	if o, err := s.AdoptOrphans(t.Context(), 0, 10); err != nil || o.Lost != 0 {
		t.Errorf("orphans %+v, %v", o, err)
	}
	d.unchanged(before)
	d.set("due_at = now() - interval '1 s'", ids[0])
	if c := claim(t, s, bsc, 10); c.Picked != 1 || c.Rows[0].ID != ids[0] {
		t.Errorf("when it is due: %+v", c)
	}
}

func TestRowThatANeighbourChangesMeanwhileIsLeftAlone(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	ids := d.rows(d.token(bsc, "0x1"), 2)
	// Between the claim's snapshot and its lock: the first row's lock test waits until the neighbour has committed.
	d.do(`CREATE FUNCTION meddle(uuid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
		PERFORM pg_advisory_xact_lock(7);
		RETURN true; END $$`)
	var c *Claimed
	s := d.store()
	for i, rung := range s.sweep {
		s.sweep[i].sql = strings.Replace(rung.sql, "AND due_at <= now()", "AND meddle(id) AND due_at <= now()", 1)
	}
	neighbour, err := d.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer neighbour.Release()
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := neighbour.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec("SELECT pg_advisory_lock(7)")
	done := make(chan error, 1)
	go func() {
		var err error
		c, err = s.ClaimSweep(t.Context(), bsc, 0, end, 10)
		done <- err
	}()
	d.waitForLock("advisory")
	exec("UPDATE wallet_balances SET last_processed_at = now() WHERE id = $1", ids[0])
	exec("SELECT pg_advisory_unlock(7)")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if c.Verdicts[Changed] != 1 || c.Verdicts[Leased] != 1 || c.Picked != 2 || c.Rows[0].ID != ids[1] {
		t.Fatalf("claimed %+v", c)
	}
	d.want(ids[0], "processing_status = 'idle' AND locked_by IS NULL")
	if v := verdictOf(t, d.store(), bsc); v != Leased {
		t.Errorf("when it comes round again: %s", v)
	}
}
