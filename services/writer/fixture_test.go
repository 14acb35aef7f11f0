package writer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/pgdev"
	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func TestMain(m *testing.M) { os.Exit(pgdev.Main(m)) }

// seed is what every test's database holds: two chains, and on the first a coin and two tokens.
const seed = `
INSERT INTO chains (id, name) VALUES ('00000000-0000-0000-0000-0000000000c1', 'Testnet'), ('00000000-0000-0000-0000-0000000000c2', 'Othernet');
INSERT INTO asset_on_chain (id, chain_id, symbol, contract_address, decimals, is_native) VALUES
  ('00000000-0000-0000-0000-0000000000a1', '00000000-0000-0000-0000-0000000000c1', 'TTT', '0xAbC1', 6, false),
  ('00000000-0000-0000-0000-0000000000a2', '00000000-0000-0000-0000-0000000000c1', 'COIN', NULL, 18, true),
  ('00000000-0000-0000-0000-0000000000a3', '00000000-0000-0000-0000-0000000000c1', 'UUU', '0xAbC3', 0, false),
  ('00000000-0000-0000-0000-0000000000a4', '00000000-0000-0000-0000-0000000000c2', 'VVV', '0xAbC4', 6, false);
`

func id(t testing.TB, short string) uuid.UUID {
	t.Helper()
	return uuid.MustParse("00000000-0000-0000-0000-0000000000" + short)
}

// bed is a database of a test's own.
type bed struct {
	testing.TB
	url   string
	pool  *pgxpool.Pool
	store *Store
	chain uuid.UUID
	token wire.Asset
	// start is when the readings of the test began, by the fetchers' clocks.
	start time.Time
}

const interval = 30 * time.Second

func newBed(t testing.TB) *bed {
	t.Helper()
	url := pgdev.Database(t, "writer "+schema.Fingerprint()+seed, func(ctx context.Context, url string) error {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		if _, err = schema.Up(ctx, conn, schema.Options{}); err == nil {
			_, err = conn.Exec(ctx, seed)
		}
		return errors.Join(err, conn.Close(ctx))
	})
	b := &bed{TB: t, url: url, chain: id(t, "c1"), start: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	b.token = wire.Asset{ID: id(t, "a1"), Contract: "0xAbC1", Decimals: 6}
	b.pool = b.open(nil)
	b.store = NewStore(b.pool)
	return b
}

// open gives one more pool, closed with the test.
func (b *bed) open(change func(*pgxpool.Config)) *pgxpool.Pool {
	b.Helper()
	config, err := pgxpool.ParseConfig(b.url)
	if err != nil {
		b.Fatal(err)
	}
	config.MaxConns = 8
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	if change != nil {
		change(config)
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	return pool
}

func (b *bed) exec(sql string, args ...any) {
	b.Helper()
	if _, err := b.pool.Exec(context.Background(), sql, args...); err != nil {
		b.Fatalf("%s: %v", sql, err)
	}
}

// text is the one value that a query answers, as text; "" for null.
func (b *bed) text(sql string, args ...any) string {
	b.Helper()
	var value *string
	if err := b.pool.QueryRow(context.Background(), "SELECT ("+sql+")::text", args...).Scan(&value); err != nil {
		b.Fatalf("%s: %v", sql, err)
	}
	if value == nil {
		return ""
	}
	return *value
}

// leased makes a row that the claim holds, and gives the reading that answers it: 1.5 of the token at height 100.
func (b *bed) leased(claim string) Row {
	b.Helper()
	return b.leasedOf(b.token, claim)
}

func (b *bed) leasedOf(asset wire.Asset, claim string) Row {
	b.Helper()
	r := Row{ID: uuid.New(), Wallet: uuid.New(), Asset: asset, Claim: claim, Kind: Value, Raw: "1500000", Height: 100, ObservedAt: b.start, ObservedBy: "node-a/batch"}
	b.exec(`INSERT INTO wallets (id, address) VALUES ($1, '0x01')`, r.Wallet)
	b.exec(`INSERT INTO wallet_balances (id, wallet_id, asset_on_chain_id, priority) VALUES ($1, $2, $3, 0)`, r.ID, r.Wallet, asset.ID)
	b.lease(r, claim)
	return r
}

// lease does to a row what a claim does.
func (b *bed) lease(r Row, claim string) {
	b.Helper()
	b.exec(`UPDATE wallet_balances SET processing_status = 'processing', locked_until = now() + interval '2 min', locked_by = $2, priority = 0 WHERE id = $1`, r.ID, claim)
}

// apply applies the rows as one batch and gives their fates.
func (b *bed) apply(rows ...Row) []Fate {
	b.Helper()
	outcomes, err := b.store.Apply(context.Background(), b.chain, interval, rows)
	if err != nil {
		b.Fatal(err)
	}
	list := make([]Fate, len(outcomes))
	for i, o := range outcomes {
		list[i] = o.Fate
	}
	return list
}

// expect applies one row, checks its fate, and gives the stored row.
func (b *bed) expect(want Fate, r Row) columnsOf {
	b.Helper()
	if got := b.apply(r); got[0] != want {
		b.Fatalf("fate %q, want %q", got[0], want)
	}
	return b.row(r)
}

// columnsOf is a stored row by column; numbers keep all their digits.
type columnsOf map[string]any

func (b *bed) row(r Row) columnsOf {
	b.Helper()
	decoder := json.NewDecoder(strings.NewReader(b.text(`SELECT to_jsonb(w) FROM wallet_balances w WHERE id = $1`, r.ID)))
	decoder.UseNumber()
	columns := columnsOf{}
	if err := decoder.Decode(&columns); err != nil {
		b.Fatal(err)
	}
	return columns
}

// want compares some columns, written as JSON.
func (b *bed) want(got columnsOf, columns string) {
	b.Helper()
	decoder := json.NewDecoder(bytes.NewReader([]byte(columns)))
	decoder.UseNumber()
	want := columnsOf{}
	if err := decoder.Decode(&want); err != nil {
		b.Fatal(err)
	}
	for name, value := range want {
		if have, ok := got[name]; !ok || have != value {
			b.Errorf("%s = %v, want %v", name, have, value)
		}
	}
}

// free is what a row looks like that nobody holds.
const free = `{"processing_status": "idle", "locked_until": null, "locked_by": null}`

// due is how long from now the row is due, in seconds.
func (b *bed) due(r Row) float64 {
	b.Helper()
	var seconds float64
	if err := b.pool.QueryRow(context.Background(), `SELECT extract(epoch FROM due_at - now())::float8 FROM wallet_balances WHERE id = $1`, r.ID).Scan(&seconds); err != nil {
		b.Fatal(err)
	}
	return seconds
}
