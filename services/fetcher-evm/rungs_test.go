//go:build !race

package fetcherevm

import (
	"testing"
	"time"
)

func TestEveryRungGivesTheSameOutcomes(t *testing.T) {
	node := geth(t, chainID)
	rows := mixedRows(node, 100)
	truth := map[string]string{}
	for at := override; at <= single; at++ {
		config := setupAt(at)
		config.Timeout = time.Minute // some tokens burn what they can, under a race detector too
		r := readerOf(t, config, chainOf(node.URL()))
		outcomes := r.Read(t.Context(), rows, 0)
		values := 0
		for i, o := range outcomes {
			key, got := rows[i].ID.String(), o.Raw
			if o.Err != nil {
				got += string(o.Err.Class) + " " + o.Err.Code
			} else {
				values++
				mustBeTrue(t, node, rows[i:i+1], outcomes[i:i+1])
			}
			if want, known := truth[key]; known && got != want {
				t.Errorf("%s of %s: %q by %s, %q by override", rows[i].Asset.Contract, rows[i].Address, got, at, want)
			}
			if at == override {
				truth[key] = got
			}
		}
		if values < 400 {
			t.Errorf("%s: %d values of %d rows: %v", at, values, len(rows), codes(outcomes))
		}
	}
}
