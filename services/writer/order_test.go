package writer

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/amount"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

const (
	orderRows = 50 // in one table of a check; each has results and an order of its own
	orders    = 2  // of the results of a check
)

// standing are the columns that guarantee 2 is about.
type standing struct {
	Raw, Human string // "" for null
	Epoch      int32
	Height     int64
	ObservedAt time.Time
}

// 100 checks, 2 orders of the results of 50 rows each: 10,000 permutations.
func TestAnyOrderAndDuplicationGivesTheSameRawHumanEpochHeightAndObservedAt(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	rapid.Check(t, func(t *rapid.T) {
		results := drawResults(t, b)
		want := make([]standing, orderRows)
		for i, list := range results {
			want[i] = newest(list)
		}
		for range orders {
			got := b.arrive(results, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 0)))
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
		}
	})
}

// drawResults gives for each row the results of one to five claims. Values are drawn from few, so that ties are common.
func drawResults(t *rapid.T, b *bed) [][]Row {
	results := make([][]Row, orderRows)
	for i := range results {
		for claim := range rapid.IntRange(1, 5).Draw(t, "claims") {
			r := Row{Asset: b.token, Claim: "balsync:a:" + strconv.Itoa(claim), Kind: Value,
				Epoch:      int32(rapid.IntRange(0, 2).Draw(t, "epoch")),
				Height:     rapid.Int64Range(1, 4).Draw(t, "height"),
				ObservedAt: b.start.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "at")) * time.Second),
				Raw:        rapid.SampledFrom([]string{"0", "5", "10", "9", max256}).Draw(t, "raw")}
			switch rapid.IntRange(0, 7).Draw(t, "kind") {
			case 0:
				r = r.fail(RowFault, "reverted", "")
			case 1:
				r = r.fail(EndpointFault, "unreachable", "")
			case 2:
				r.Kind, r.Error = Warned, "bad_decimals"
			}
			results[i] = append(results[i], r)
			if rapid.IntRange(0, 3).Draw(t, "twice") == 0 {
				results[i] = append(results[i], r)
			}
		}
	}
	return results
}

// newest is the model: of a row's values the last by epoch, height, time and amount.
func newest(list []Row) standing {
	var best standing
	for _, r := range list {
		if r.Kind != Value && r.Kind != Warned {
			continue
		}
		s := standing{Raw: r.Raw, Epoch: r.Epoch, Height: r.Height, ObservedAt: r.ObservedAt}
		if r.Kind == Value {
			s.Human, _ = amount.Human(r.Raw, r.Asset.Decimals)
		}
		if cmp.Or(cmp.Compare(s.Epoch, best.Epoch), cmp.Compare(s.Height, best.Height), s.ObservedAt.Compare(best.ObservedAt),
			cmp.Compare(len(s.Raw), len(best.Raw)), cmp.Compare(s.Raw, best.Raw), cmp.Compare(len(s.Human), len(best.Human))) > 0 {
			best = s
		}
	}
	return best
}

// arrive makes fresh rows, applies their results in some order and in some batches, with claims that come between, and gives
// what the rows are in the end.
func (b *bed) arrive(results [][]Row, order *rand.Rand) []standing {
	b.Helper()
	ids, wallets := make([]uuid.UUID, orderRows), make([]uuid.UUID, orderRows)
	var all []Row
	for i, list := range results {
		ids[i], wallets[i] = uuid.New(), uuid.New()
		for _, r := range list {
			r.ID, r.Wallet = ids[i], wallets[i]
			all = append(all, r)
		}
	}
	b.exec(`INSERT INTO wallet_balances (id, wallet_id, asset_on_chain_id) SELECT i, w, $3 FROM unnest($1::uuid[], $2::uuid[]) AS t (i, w)`, ids, wallets, b.token.ID)
	order.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for len(all) > 0 {
		b.exec(`UPDATE wallet_balances SET processing_status = 'processing', locked_until = now() + interval '1 min', locked_by = $2
		         WHERE id = ANY ($1) AND hashtext(id::text || $3) % 2 = 0`, ids, fmt.Sprintf("balsync:a:%d", order.IntN(5)), strconv.Itoa(order.Int()))
		n := min(len(all), 1+order.IntN(3*orderRows))
		b.apply(all[:n]...)
		all = all[n:]
	}
	rows, err := b.pool.Query(context.Background(), `SELECT id, coalesce(on_chain_balance_raw, ''), coalesce(on_chain_balance_human::text, ''), observed_epoch,
		coalesce(observed_height, 0), coalesce(observed_at, '0001-01-01') FROM wallet_balances WHERE id = ANY ($1)`, ids)
	if err != nil {
		b.Fatal(err)
	}
	got := make([]standing, orderRows)
	var row uuid.UUID
	var s standing
	if _, err := pgx.ForEachRow(rows, []any{&row, &s.Raw, &s.Human, &s.Epoch, &s.Height, &s.ObservedAt}, func() error {
		s.ObservedAt = s.ObservedAt.UTC()
		got[slices.Index(ids, row)] = s
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	return got
}
