package upstream_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balance-sync/balance-sync/shared/upstream"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestTheTipIsWhatAMajorityHasReached(t *testing.T) {
	tests := []struct {
		name          string
		heads         []int64 // 0: has not told
		height        int64
		agree, tellOf int
	}{
		{"nobody tells", []int64{0, 0}, 0, 0, 0},
		{"one endpoint is its own majority", []int64{50}, 50, 1, 1},
		{"two cannot outvote each other", []int64{50, 60}, 50, 2, 2},
		{"one of three is far ahead", []int64{100, 1_000_000_100, 101}, 101, 2, 3},
		{"one of three lags", []int64{100, 50, 101}, 100, 2, 3},
		{"one of three is silent", []int64{100, 0, 101}, 100, 2, 2},
		{"four need three", []int64{10, 20, 30, 40}, 20, 3, 4},
		{"all at one height", []int64{9, 9, 9}, 9, 3, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			names := make([]string, len(tt.heads))
			for i := range names {
				names[i] = fmt.Sprint("e", i)
			}
			p := admitted(names...)
			for i, head := range tt.heads {
				if head > 0 {
					p.Endpoints()[i].Saw(head)
				}
			}
			got := p.Tip()
			got.Seen = time.Time{}
			if diff := cmp.Diff(upstream.Tip{Height: tt.height, Agree: tt.agree, Of: tt.tellOf}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A minority of liars moves the tip to no height that the honest have not reached.
func TestAMinorityCannotRaiseTheTip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		liars := rapid.IntRange(0, 3).Draw(t, "liars")
		honest := rapid.IntRange(liars+1, 5).Draw(t, "honest")
		names := make([]string, honest+liars)
		p := admitted(names...)
		highest := int64(0)
		for i, e := range p.Endpoints() {
			if i < honest {
				head := rapid.Int64Range(1, 1000).Draw(t, "head")
				highest = max(highest, head)
				e.Saw(head)
			} else {
				e.Saw(rapid.Int64Range(1, 1<<62).Draw(t, "lie"))
			}
		}
		tip := p.Tip()
		if tip.Height > highest {
			t.Fatalf("tip %d, but the honest are at %d at most", tip.Height, highest)
		}
		if tip.Agree < len(names)/2+1 {
			t.Fatalf("%d of %d agree", tip.Agree, len(names))
		}
	})
}

func TestHeadsOfTheSilentAndTheQuarantinedDoNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := admitted("a", "b", "c")
		a, b, c := p.Endpoints()[0], p.Endpoints()[1], p.Endpoints()[2]
		a.Saw(100)
		pass(20 * time.Second)
		b.Saw(150)
		c.Saw(900)
		c.Quarantine(broken)
		c.Saw(901)
		if got := p.Tip(); got.Height != 100 || got.Of != 2 {
			t.Errorf("tip %+v, want 100 of 2: one is in quarantine", got)
		}
		pass(11 * time.Second)
		if got := p.Tip(); got.Height != 150 || got.Of != 1 {
			t.Errorf("tip %+v, want 150 of 1: one has not told for 31 s", got)
		}
	})
}

func TestTheBoundGrowsWithTheTimeSinceTheTipWasSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := admitted("a", "b")
		p.Endpoints()[0].Saw(1000)
		pass(4 * time.Second)
		p.Endpoints()[1].Saw(1004)
		tip := p.Tip()
		if got := tip.Bound(time.Now(), 50, 500*time.Millisecond); got != 1000+8+50 {
			t.Errorf("bound %d, want 1058: 8 blocks can have come in 4 s", got)
		}
		if got := (upstream.Tip{}).Bound(time.Now(), 50, time.Second); got != 50 {
			t.Errorf("bound %d of a pool that told nothing, want the slack alone", got)
		}
	})
}
