package writer

import (
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// What holds of any batch: every row once, no id twice in a statement, results of a row in their order, and rows in theirs.
func TestSplitKeepsTheOrderAndNeverRepeatsARowInAStatement(t *testing.T) {
	t.Parallel()
	ids := make([]uuid.UUID, 5000)
	for i := range ids {
		ids[i] = uuid.New()
	}
	rapid.Check(t, func(t *rapid.T) {
		distinct := rapid.SampledFrom([]int{1, 3, 50, len(ids)}).Draw(t, "distinct")
		most := 300
		if distinct == len(ids) {
			most = len(ids)
		}
		rows := make([]Row, rapid.IntRange(0, most).Draw(t, "rows"))
		seed := rapid.Uint64().Draw(t, "seed")
		for i := range rows {
			seed = seed*6364136223846793005 + 1442695040888963407
			rows[i].ID = ids[int(seed>>33)%distinct]
			if distinct == len(ids) && seed>>60 > 2 {
				rows[i].ID = ids[i] // mostly one result a row, as it is
			}
		}
		last, placed := map[uuid.UUID]int{}, 0
		for s, statement := range split(rows) {
			if len(statement) > maxStatementRows || len(statement) == 0 {
				t.Fatalf("statement %d has %d rows", s, len(statement))
			}
			seen := map[uuid.UUID]bool{}
			for k, i := range statement {
				if k > 0 && statement[k-1] >= i {
					t.Fatalf("statement %d takes row %d after row %d", s, i, statement[k-1])
				}
				row := rows[i].ID
				if seen[row] {
					t.Fatalf("statement %d has a row twice", s)
				}
				if at, before := last[row]; before && at > i {
					t.Fatalf("row %d comes after a later result of it", i)
				}
				seen[row], last[row] = true, i
				placed++
			}
		}
		if placed != len(rows) {
			t.Fatalf("%d of %d rows placed", placed, len(rows))
		}
	})
}

func TestABatchWithoutRepetitionsTakesAsFewStatementsAsItCan(t *testing.T) {
	t.Parallel()
	rows := make([]Row, 2*maxStatementRows+1)
	for i := range rows {
		rows[i].ID = uuid.New()
	}
	if got := len(split(rows)); got != 3 {
		t.Errorf("%d statements, want 3", got)
	}
}
