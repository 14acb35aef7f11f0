package fetch_test

import (
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/google/go-cmp/cmp"
)

// call is one of an asset, "" for the coin.
type call struct {
	asset string
	row   int
}

func (c call) Compare(other call) int { return strings.Compare(c.asset, other.asset) }

// callsOf gives a call of each asset of a text, "-" for the coin.
func callsOf(assets string) []call {
	var calls []call
	for row, asset := range strings.Split(assets, "") {
		calls = append(calls, call{strings.Trim(asset, "-"), row})
	}
	return calls
}

// rows are those of the calls.
func rows(calls []call) []int {
	var list []int
	for _, c := range calls {
		list = append(list, c.row)
	}
	return list
}

func TestCallsAreOrderedByAssetTheCoinFirstAndOtherwiseAsTheyCame(t *testing.T) {
	calls := callsOf("ba-ab-a")
	fetch.ByAsset(calls)
	if diff := cmp.Diff([]int{2, 5, 1, 3, 6, 0, 4}, rows(calls)); diff != "" {
		t.Error(diff)
	}
}

func TestRunsAreCallsOfOneAsset(t *testing.T) {
	var got [][]int
	for _, run := range fetch.Runs(callsOf("--abbb")) {
		got = append(got, rows(run))
	}
	if diff := cmp.Diff([][]int{{0, 1}, {2}, {3, 4, 5}}, got); diff != "" {
		t.Error(diff)
	}
	if got := fetch.Runs[call](nil); len(got) != 0 {
		t.Errorf("%v of nothing", got)
	}
}

func TestHalvesDivideBetweenTokensWhileTheyCan(t *testing.T) {
	calls := callsOf("-aaab")
	for _, tt := range []struct{ of, want int }{{5, 1}, {4, 1}, {2, 1}} {
		if first, second := fetch.Halves(calls[:tt.of]); len(first)+len(second) != tt.of || len(first) != tt.want && tt.of < 5 || len(second) == 0 || len(first) == 0 {
			t.Errorf("%d calls: %d and %d", tt.of, len(first), len(second))
		}
	}
	if first, second := fetch.Halves(calls[1:4]); len(first) != 1 || len(second) != 2 {
		t.Errorf("%d and %d", len(first), len(second))
	}
}
