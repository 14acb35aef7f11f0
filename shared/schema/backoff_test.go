package schema

import "testing"

func TestBackoffDoublesFromFifteenSecondsToAnHourWithJitter(t *testing.T) {
	conn := migrated(t, "")
	for failures, full := range map[string]float64{
		"NULL": 15, "-1": 15, "0": 15, "1": 30, "2": 60, "3": 120, "4": 240, "5": 480, "6": 960, "7": 1920, "8": 3600, "9": 3600, "2147483647": 3600,
	} {
		var low, high float64
		err := conn.QueryRow(t.Context(), `SELECT min(s), max(s) FROM (SELECT extract(epoch FROM balance_sync_backoff(`+failures+`))::float8 AS s FROM generate_series(1, 300)) x`).
			Scan(&low, &high)
		if err != nil {
			t.Fatal(err)
		}
		// 300 draws miss a tenth of the range at either end once in 10^13 runs.
		if low < full/2 || low > full*0.55 || high > full || high < full*0.95 {
			t.Errorf("after %s failures from %v to %v s, want %v to %v", failures, low, high, full/2, full)
		}
	}
}
