package evmdev

import "testing"

func TestRotationReachesEveryBalanceOnceARound(t *testing.T) {
	for _, count := range []int{1, 3, 7, 40, 60, 120} {
		r := rotation{wallets: 40, next: make([]int, 3)}
		seen := make(map[pair]int)
		for range 120 / count * 2 {
			for p, times := range pairs(r.take(count)) {
				if times != 1 {
					t.Errorf("%d at a time: %v came %d times in one block", count, p, times)
				}
				seen[p]++
			}
		}
		for p, times := range seen {
			// A count that does not divide a round leaves the last few for the next one.
			if times > 2 || 120%count == 0 && times != 2 {
				t.Errorf("%d at a time: %v came %d times in two rounds", count, p, times)
			}
		}
		if 120%count == 0 && len(seen) != 120 {
			t.Errorf("%d at a time: %d balances of 120", count, len(seen))
		}
	}
}

func TestRotationTakesNoBalanceTwiceHoweverManyAreAsked(t *testing.T) {
	r := rotation{wallets: 5, next: []int{3, 0}}
	if got := pairs(r.take(1000)); len(got) != 10 {
		t.Errorf("%d different balances of 10: %v", len(got), got)
	}
}

func TestRotationWithoutWalletsOrCountIsEmpty(t *testing.T) {
	empty := rotation{wallets: 0, next: make([]int, 3)}
	idle := rotation{wallets: 9, next: make([]int, 3)}
	if a, b := empty.take(5), idle.take(0); len(a)+len(b) != 0 {
		t.Errorf("took %v and %v", a, b)
	}
}

func pairs(stretches []stretch) map[pair]int {
	out := make(map[pair]int)
	for _, s := range stretches {
		for i := s.from; i < s.to; i++ {
			out[pair{s.asset, i}]++
		}
	}
	return out
}
