package claimer

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// start is the moment at which every test of the gate begins; the gate itself knows no clock.
func start() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

func TestTheFirstClaimIsSmall(t *testing.T) {
	g := newGate(10, 1000, 10, 64)
	if rows := g.room(0, start()); rows != 10 {
		t.Errorf("the first claim asks for %d rows, want 10", rows)
	}
}

// A chain that finishes whatever it is given is given twice as much each time, up to the batch.
func TestClaimsGrowOnAFastChain(t *testing.T) {
	g, now := newGate(10, 1000, 10, 64), start()
	rows := 0
	for round := 1; round <= 12; round++ {
		rows = g.room(0, now)
		if rows == 0 {
			t.Fatalf("round %d: no room on a chain with nothing to do", round)
		}
		g.claimed(rows, true, now)
		now = now.Add(60 * time.Millisecond)
	}
	if rows != 1000 {
		t.Errorf("after twelve rounds a claim asks for %d rows, want the batch size", rows)
	}
}

func TestAChainThatFinishesNothingIsGivenNothingMore(t *testing.T) {
	g, now := newGate(10, 1000, 10, 64), start()
	for range 12 { // it was fast once
		g.claimed(g.room(0, now), true, now)
		now = now.Add(60 * time.Millisecond)
	}
	unfinished, leased := 0, 0
	for range 600 { // and then for a minute finishes nothing
		if rows := g.room(unfinished, now); rows > 0 {
			leased += rows
			unfinished++
			g.claimed(rows, true, now)
		}
		now = now.Add(100 * time.Millisecond)
	}
	if unfinished > 64 || leased == 0 {
		t.Errorf("%d messages, %d rows", unfinished, leased)
	}
	if rows := g.room(unfinished, now); rows != 0 {
		t.Errorf("room for %d rows behind %d messages that nobody reads", rows, unfinished)
	}
	now = now.Add(time.Second)
	if rows := g.room(0, now); rows == 0 {
		t.Error("the chain has finished everything, and is given nothing")
	}
}

func TestMessagesAreBoundedWhateverTheRate(t *testing.T) {
	g, now := newGate(10, 1000, 10, 3), start()
	for range 20 {
		g.claimed(g.room(0, now), true, now)
		now = now.Add(60 * time.Millisecond)
	}
	for unfinished, open := range []bool{true, true, true, false, false} {
		now = now.Add(20 * time.Millisecond)
		if rows := g.room(unfinished, now); (rows > 0) != open && unfinished >= 3 {
			t.Errorf("%d unfinished messages of at most 3: room for %d", unfinished, rows)
		}
	}
}

// Whatever the broker answers and however time goes, an ask is none or within its bounds, and a chain that has finished
// everything is never refused: the gate cannot lock itself.
func TestTheGateNeverLocksItselfAndNeverAsksTooMuch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		least, most := rapid.IntRange(1, 50).Draw(t, "least"), rapid.IntRange(50, 2000).Draw(t, "most")
		messages := rapid.IntRange(1, 100).Draw(t, "messages")
		g, now := newGate(least, most, least, messages), start()
		for range rapid.IntRange(1, 200).Draw(t, "rounds") {
			unfinished := rapid.IntRange(0, 150).Draw(t, "unfinished")
			rows := g.room(unfinished, now)
			if rows < 0 || rows > most || rows > 0 && rows < least {
				t.Fatalf("asks for %d rows, bounds %d and %d", rows, least, most)
			}
			if rows > 0 && unfinished >= messages {
				t.Fatalf("asks for %d rows behind %d of %d messages", rows, unfinished, messages)
			}
			if rows > 0 {
				g.claimed(rapid.IntRange(1, rows).Draw(t, "leased"), rapid.Bool().Draw(t, "limited"), now)
			}
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(20*time.Second)).Draw(t, "time")))
		}
		now = now.Add(time.Minute)
		if rows := g.room(0, now); rows == 0 {
			t.Fatal("no room although nothing is unfinished")
		}
	})
}
