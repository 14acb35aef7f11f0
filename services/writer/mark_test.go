package writer

import (
	"math"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// at is a moment some seconds after a fixed one.
func at(seconds float64) time.Time {
	return time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC).Add(time.Duration(seconds * float64(time.Second)))
}

// A chain of two seconds a block with a slack of 10, which was at 1,000 at the moment 0.
func marked() mark {
	m := newMark(chain.Config{BlockTime: 2 * time.Second, HeightSlack: 10})
	height, when := int64(999), at(0)
	m.restore(&height, &when)
	m.accept(1000, 0, at(0))
	return m
}

func TestAHeightIsBoundedByTheMarkTheSlackAndTheTimeSince(t *testing.T) {
	for name, tt := range map[string]struct {
		height int64
		after  float64
		want   bool
	}{
		"at the mark":                       {1000, 0, true},
		"below it":                          {1, 0, true},
		"at the slack":                      {1010, 0, true},
		"above the slack":                   {1011, 0, false},
		"one block time later":              {1011, 2, true},
		"one block time later, one too far": {1012, 2, false},
		"short of a second block time":      {1012, 3.9, false},
		"an hour later":                     {2810, 3600, true},
		"an hour later, one too far":        {2811, 3600, false},
		"an older message":                  {1010, -3600, true},
		"an older message, too far":         {1011, -3600, false},
		"the far future":                    {math.MaxInt64, 0, false},
	} {
		m := marked()
		if got := m.accept(tt.height, math.MaxInt64, at(tt.after)); got != tt.want {
			t.Errorf("%s: accepted %t, want %t", name, got, tt.want)
		}
	}
}

func TestTheMarkIsTheHighestAcceptedHeightAndItsMessagesTime(t *testing.T) {
	m := marked()
	for _, step := range []struct {
		height int64
		after  float64
		want   mark
	}{
		{1005, 10, mark{height: 1005, at: at(10)}},
		{5000, 20, mark{height: 1005, at: at(10)}}, // refused
		{1005, 30, mark{height: 1005, at: at(10)}}, // not higher: a node that stands still proves nothing new
		{900, 40, mark{height: 1005, at: at(10)}},
		{1006, 5, mark{height: 1006, at: at(5)}}, // an older message that knew more
	} {
		m.accept(step.height, 0, at(step.after))
		if m.height != step.want.height || !m.at.Equal(step.want.at) {
			t.Errorf("after %d at %v the mark is %d at %s, want %d at %s", step.height, step.after, m.height, m.at, step.want.height, step.want.at)
		}
	}
}

func TestTheFirstResultEverIsBoundedByTheTipItNames(t *testing.T) {
	for _, tt := range []struct {
		height, tip int64
		want        bool
	}{{110, 100, true}, {111, 100, false}, {10, 0, true}, {11, 0, false}, {11, math.MinInt64, false}, {math.MaxInt64, math.MaxInt64, true}} {
		m := newMark(chain.Config{BlockTime: 2 * time.Second, HeightSlack: 10})
		m.restore(nil, nil)
		if got := m.accept(tt.height, tt.tip, at(0)); got != tt.want {
			t.Errorf("height %d with tip %d: accepted %t, want %t", tt.height, tt.tip, got, tt.want)
		}
	}
	m := newMark(chain.Config{BlockTime: 2 * time.Second, HeightSlack: 10})
	m.accept(100, 100, at(0))
	if m.accept(200, 200, at(0)) {
		t.Error("the second result was believed about its tip too")
	}
}

// Results of the last week, applied again in their order: each is below the mark.
func TestOldMessagesAreNotRefused(t *testing.T) {
	m := marked()
	for hours := -200; hours < 0; hours++ {
		if !m.accept(int64(1000+hours), 0, at(float64(hours)*3600)) {
			t.Fatalf("the message of %d hours ago was refused", -hours)
		}
	}
	if m.height != 1000 {
		t.Errorf("the mark moved to %d", m.height)
	}
}

func TestAPoisonedMarkDoesNotOverflow(t *testing.T) {
	m := marked()
	m.height = math.MaxInt64 - 5
	if !m.accept(math.MaxInt64, 0, at(1e6)) {
		t.Error("refused")
	}
}

func TestAFutureHeightIsRefusedAndTheLeaseFreed(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	first, future, after := l.leased("balsync:a:1"), l.leased("balsync:a:2"), l.leased("balsync:a:3")
	future.Claim, future.Height = "balsync:a:2", 1_000_000_100
	after.Claim, after.Height = "balsync:a:3", 120
	failed := l.leased("balsync:a:2").fail(EndpointFault, "unreachable", "")
	l.deliver(result(first), result(future, failed), result(after))
	l.want(l.row(first), `{"observed_height": 100, "last_error": null}`)
	l.want(l.row(after), `{"observed_height": 120, "last_error": null}`)
	got := l.row(future)
	l.want(got, `{"observed_height": null, "on_chain_balance_raw": null, "error_count": 0,
		"last_error": "height_refused: height 1000000100 is above what the chain can have reached"}`)
	l.want(got, free)
	l.want(l.row(failed), `{"last_error": "unreachable"}`)
	if got := l.metric("refused_rows_total", wire.CodeHeightRefused); got != 1 {
		t.Errorf("%v rows counted as refused, want 1", got)
	}
	if got := l.metric("height", "testnet"); got != 120 {
		t.Errorf("the metric says height %v, want 120", got)
	}
}

func TestAfterARestartTheMarkComesFromTheTable(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	stored, other := l.leased("balsync:a:1"), l.leased("balsync:a:1")
	l.exec(`UPDATE wallet_balances SET observed_height = 5000, observed_at = now() WHERE id = $1`, stored.ID)
	l.exec(`UPDATE wallet_balances SET observed_height = 4000, observed_at = now() - interval '1 day' WHERE id = $1`, other.ID)
	if !l.app.prepare(t.Context()) {
		t.Fatal("not prepared")
	}
	near, far := l.leased("balsync:a:2"), l.leased("balsync:a:3")
	near.Height, far.Height = 5050, 5200 // each names a tip as high as itself
	l.deliver(result(near), result(far))
	l.want(l.row(near), `{"observed_height": 5050}`)
	l.want(l.row(far), `{"observed_height": null}`)
}

// The nodes stood still while the rows were read again and again, and then a writer started: the table says when the height was last
// seen and not when it was reached. Where the chain has gone on since must not be refused for good.
func TestAMarkFromTheTableCatchesUpWithAChainThatHadGoneOn(t *testing.T) {
	m := newMark(chain.Config{BlockTime: 2 * time.Second, HeightSlack: 10})
	height, seen := int64(1000), at(3600) // reached at the moment 0
	m.restore(&height, &seen)
	reached := func(seconds float64) int64 { return 1000 + int64(seconds/2) }
	accepted := 0.0
	for seconds := 3600.0; seconds < 4*3600 && accepted == 0; seconds += 30 {
		if m.accept(reached(seconds), 0, at(seconds)) {
			accepted = seconds
		}
	}
	if accepted == 0 || accepted > 3600+1230 {
		t.Fatalf("the true height was believed at %v s, want it within a third of the hour", accepted)
	}
	// From then on the mark is known to the second, and the bound is the chain's own pace.
	if limit := m.limit(0, at(accepted+60)); limit != reached(accepted)+30+10 {
		t.Errorf("limit %d, the chain was at %d a minute ago", limit, reached(accepted))
	}
}

func TestAMarkFromTheTableBelievesNothingFarAhead(t *testing.T) {
	m := newMark(chain.Config{BlockTime: 2 * time.Second, HeightSlack: 10})
	height, seen := int64(1000), at(0)
	m.restore(&height, &seen)
	for _, tt := range []struct {
		height int64
		after  float64
		want   bool
	}{{1011, 0, false}, {1000 + 10 + 4*30 + 1, 60, false}, {1000 + 10 + 4*30, 60, true}} {
		if got := m.accept(tt.height, 0, at(tt.after)); got != tt.want {
			t.Errorf("%d after %v s: accepted %t", tt.height, tt.after, got)
		}
	}
}

// The chain of the other tests: a height elsewhere says nothing about it.
func TestTheMarkIsTheChainsOwn(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	l.exec(`INSERT INTO wallet_balances (asset_on_chain_id, observed_height, observed_at) VALUES ($1, 900000, now())`, id(t, "a4"))
	if !l.app.prepare(t.Context()) {
		t.Fatal("not prepared")
	}
	if l.app.bound.height != 0 {
		t.Errorf("the mark is %d", l.app.bound.height)
	}
}
