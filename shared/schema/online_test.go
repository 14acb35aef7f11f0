package schema

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestBothWaysEndInTheSameSchema(t *testing.T) {
	conn := open(t, existing())
	file := get[uint32](t, conn, `SELECT pg_relation_filenode('wallet_balances')`)
	up(t, conn, Options{Online: true})
	if again := get[uint32](t, conn, `SELECT pg_relation_filenode('wallet_balances')`); again != file {
		t.Error("the online way rewrote the table")
	}
	want(t, conn, manyRows, `SELECT count(*) FROM wallet_balances WHERE priority = 0 AND due_at = '-infinity' AND observed_epoch = 0`)
	complete(t, conn)
}

func TestOnlineFillSweepsInTheOrderOfTheDisk(t *testing.T) {
	conn := open(t, existing())
	up(t, conn, Options{Online: true})
	back := get[int64](t, conn, `SELECT count(*) FROM (SELECT sweep_seq < lag(sweep_seq) OVER (ORDER BY ctid) AS back FROM wallet_balances) x WHERE back`)
	if back > manyRows/100 {
		t.Errorf("%d of %d rows are out of order", back, manyRows)
	}
}

func TestOnlineFillPassesByRowsThatOthersHold(t *testing.T) {
	url := database(t, existing())
	conn, app := connect(t, url, nil), connect(t, url, nil)
	var held pgx.Tx
	passedBy := false
	up(t, conn, Options{Online: true, Log: func(s Step) {
		switch {
		case s.Name == "triggers":
			held = begin(t, app)
			if _, err := held.Exec(t.Context(), `SELECT FROM wallet_balances WHERE ctid IN (SELECT min(ctid) FROM wallet_balances) FOR UPDATE`); err != nil {
				t.Fatal(err)
			}
		case s.Name == "fill" && s.Rows == manyRows-1:
			passedBy = true
			if err := held.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}})
	if !passedBy {
		t.Error("the fill did not go on beside the row that was held")
	}
	complete(t, app)
}

func begin(t *testing.T, conn *pgx.Conn) pgx.Tx {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

func TestApplicationGoesOnDuringAnOnlineFill(t *testing.T) {
	url := database(t, existing())
	conn, app := connect(t, url, nil), connect(t, url, nil)
	batches, moved := 0, `UPDATE wallet_balances SET updated_at = now() WHERE sweep_seq = 0 AND ctid IN (SELECT ctid FROM wallet_balances ORDER BY ctid DESC LIMIT 3000)`
	up(t, conn, Options{Online: true, Log: func(s Step) {
		if s.Name != "fill" || !s.Applied.IsZero() {
			return
		}
		if batches++; batches > 5 {
			return
		}
		// Rows that are moved may land on pages that the pass is done with; a row that changes its asset has its chain already.
		do(t, app, moved)
		do(t, app, `INSERT INTO wallet_balances (wallet_id, asset_on_chain_id) VALUES (gen_random_uuid(), `+usdt+`)`)
		do(t, app, `UPDATE wallet_balances SET wallet_id = gen_random_uuid(), asset_on_chain_id = `+usdt+` WHERE id = (SELECT id FROM wallet_balances WHERE sweep_seq = 0 AND asset_on_chain_id = `+bnb+` LIMIT 1)`)
		do(t, app, `DELETE FROM wallet_balances WHERE id = (SELECT id FROM wallet_balances WHERE asset_on_chain_id = `+bnb+` ORDER BY ctid DESC LIMIT 1)`)
	}})
	if batches < 3 {
		t.Errorf("the fill took only %d batches", batches)
	}
	complete(t, app)
}
