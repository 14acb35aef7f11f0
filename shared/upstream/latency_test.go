package upstream_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balance-sync/balance-sync/shared/upstream"
)

// took tells of n reads, each as long.
func took(e *upstream.Endpoint, n int, d time.Duration) {
	for range n {
		e.Took(d)
	}
}

func TestAFastEndpointIsPreferredToASlowOne(t *testing.T) {
	p := admitted("slow", "fast", "near")
	slow, fast, near := p.Endpoints()[0], p.Endpoints()[1], p.Endpoints()[2]
	took(slow, 4, 900*time.Millisecond)
	took(fast, 4, 100*time.Millisecond)
	took(near, 4, 150*time.Millisecond)
	if got := sequence(t, p, 0, 4); got != "fast near fast near" {
		t.Errorf("picked %s", got)
	}
	if states := p.States(); !states[0].Slow || states[1].Slow || states[2].Slow || states[0].Latency != 900*time.Millisecond {
		t.Errorf("%+v", states)
	}
}

func TestHealthHeightAndRoomComeBeforeLatency(t *testing.T) {
	p := admitted("slow", "fast")
	slow, fast := p.Endpoints()[0], p.Endpoints()[1]
	took(slow, 1, 900*time.Millisecond)
	took(fast, 1, 100*time.Millisecond)
	first, second := pick(t, p, 0), pick(t, p, 0)
	if first != fast || second != fast {
		t.Fatalf("picked %s and %s", first.Name(), second.Name())
	}
	if third := pick(t, p, 0); third != slow {
		t.Error("the fast one was picked above its concurrency")
	} else {
		third.Release()
	}
	first.Release()
	second.Release()
	slow.Saw(100)
	fast.Saw(90)
	if got := sequence(t, p, 95, 2); got != "slow slow" {
		t.Errorf("picked %s, want the one that has the block", got)
	}
	fast.Saw(100)
	fast.Failed(broken, 0)
	if got := sequence(t, p, 95, 2); got != "slow slow" {
		t.Errorf("picked %s, want the one that did not fail", got)
	}
}

// Measurements of equal nodes differ: that must not make one of them idle.
func TestEqualEndpointsTakeTurnsWhateverTheNoise(t *testing.T) {
	p := admitted("a", "b")
	a, b := p.Endpoints()[0], p.Endpoints()[1]
	for i := range 40 {
		took(a, 1, 100*time.Millisecond+time.Duration(i%7)*10*time.Millisecond)
		took(b, 1, 100*time.Millisecond+time.Duration(i%5)*12*time.Millisecond)
		if got := sequence(t, p, 0, 2); got != "a b" {
			t.Fatalf("round %d: picked %s", i, got)
		}
	}
	took(a, 20, 2*time.Millisecond)
	took(b, 20, 90*time.Millisecond)
	if got := sequence(t, p, 0, 2); got != "a b" {
		t.Errorf("picked %s for a difference of 88 ms", got)
	}
}

func TestWhoIsSlowStaysSoUntilItIsClearlyFaster(t *testing.T) {
	p := admitted("a", "b")
	a, b := p.Endpoints()[0], p.Endpoints()[1]
	took(a, 1, 100*time.Millisecond)
	for _, step := range []struct {
		latency time.Duration
		want    string
	}{{290 * time.Millisecond, "a b"}, {350 * time.Millisecond, "a a"}, {290 * time.Millisecond, "a a"}, {240 * time.Millisecond, "a b"}, {290 * time.Millisecond, "a b"}} {
		took(b, 40, step.latency) // until the average is there
		sequence(t, p, 0, 2)
		got := sequence(t, p, 0, 2)
		if fields := strings.Fields(got); (fields[0] == fields[1]) != (step.want == "a a") {
			t.Errorf("at %v: picked %s, want %s", step.latency, got, step.want)
		}
	}
}

func TestASlowEndpointIsMeasuredAgainAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := admitted("fast", "slow")
		fast, slow := p.Endpoints()[0], p.Endpoints()[1]
		took(slow, 1, 5*time.Second)
		turns := 0
		for began := time.Now(); time.Since(began) < 10*time.Minute; pass(time.Second) {
			e := pick(t, p, 0)
			if e == fast {
				e.Took(100 * time.Millisecond)
			} else {
				turns++
				e.Took(5 * time.Second)
			}
			e.Release()
		}
		if turns < 9 || turns > 11 {
			t.Errorf("the slow one got %d turns in ten minutes, want one a minute", turns)
		}
		pass(time.Minute)
		pick(t, p, 0).Release()
		e := pick(t, p, 0)
		defer e.Release()
		if e != slow {
			e = pick(t, p, 0)
			defer e.Release()
		}
		took(e, 1, 100*time.Millisecond) // it has recovered: one measurement after the pause counts alone
		if s := p.States()[1]; s.Slow || s.Latency != 100*time.Millisecond {
			t.Errorf("%+v", s)
		}
	})
}
