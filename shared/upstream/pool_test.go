package upstream_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balance-sync/balance-sync/shared/upstream"
	"github.com/google/go-cmp/cmp"
)

var broken = upstream.Fault{Code: "unreachable", Text: "connection refused"}

// admitted is a pool of endpoints that have passed their check.
func admitted(names ...string) *upstream.Pool {
	var members []upstream.Member
	for _, name := range names {
		members = append(members, upstream.Member{Name: name})
	}
	p := upstream.New(members, upstream.Settings{BlockTime: time.Second, Lag: 5, HeadAge: 30 * time.Second})
	for _, e := range p.Endpoints() {
		e.Admit()
	}
	return p
}

func pick(t *testing.T, p *upstream.Pool, atLeast int64, avoid ...*upstream.Endpoint) *upstream.Endpoint {
	t.Helper()
	e, err := p.Pick(atLeast, avoid...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// pass lets false time pass: it is for synctest bubbles only.
func pass(d time.Duration) { <-time.After(d) }

// sequence picks n times, one after the other.
func sequence(t *testing.T, p *upstream.Pool, atLeast int64, n int) string {
	t.Helper()
	var names []string
	for range n {
		e := pick(t, p, atLeast)
		names = append(names, e.Name())
		e.Release()
	}
	return strings.Join(names, " ")
}

func expectNone(t *testing.T, p *upstream.Pool, wantCode, wantText string) {
	t.Helper()
	e, err := p.Pick(0)
	var none *upstream.Unavailable
	switch {
	case err == nil:
		t.Errorf("%s was picked", e.Name())
		e.Release()
	case !errors.As(err, &none):
		t.Errorf("error %v is not an Unavailable", err)
	case none.Code() != wantCode || !strings.Contains(err.Error(), wantText):
		t.Errorf("code %q and text %q, want %q and %q in it", none.Code(), err, wantCode, wantText)
	}
}

func TestAnUncheckedEndpointIsNotPicked(t *testing.T) {
	p := upstream.New([]upstream.Member{{Name: "a"}}, upstream.Settings{})
	expectNone(t, p, upstream.Unchecked, "a (unchecked: not checked yet)")
	if !p.Endpoints()[0].Admit() {
		t.Error("the first admission is no news")
	}
	if got := sequence(t, p, 0, 1); got != "a" {
		t.Errorf("picked %s", got)
	}
}

// "Not checked yet" helps nobody whose URL is wrong.
func TestAnEndpointThatNoCheckHasAdmittedSaysWhy(t *testing.T) {
	p := upstream.New([]upstream.Member{{Name: "a"}}, upstream.Settings{})
	p.Endpoints()[0].Failed(upstream.Fault{Code: "unreachable", Text: "connection refused"}, 0)
	expectNone(t, p, "unreachable", "a (unreachable: connection refused)")
	p.Endpoints()[0].Succeeded() // of the chain id, say: that is not enough
	expectNone(t, p, upstream.Unchecked, "a (unchecked: not checked yet)")
}

func TestEqualEndpointsTakeTurns(t *testing.T) {
	p := admitted("a", "b", "c")
	if got := sequence(t, p, 0, 7); got != "a b c a b c a" {
		t.Errorf("picked %s", got)
	}
}

func TestTheEndpointWithLessInFlightIsPicked(t *testing.T) {
	p := admitted("a", "b")
	a := pick(t, p, 0)
	b := pick(t, p, 0)
	b.Release()
	if got := sequence(t, p, 0, 3); got != "b b b" {
		t.Errorf("picked %s while a is busy", got)
	}
	a.Release()
	if got := sequence(t, p, 0, 2); got != "a b" {
		t.Errorf("picked %s when a is free again", got)
	}
}

func TestAnEndpointAtTheHeightIsPreferred(t *testing.T) {
	p := admitted("low", "high")
	p.Endpoints()[0].Saw(100)
	p.Endpoints()[1].Saw(104)
	if got := sequence(t, p, 103, 2); got != "high high" {
		t.Errorf("picked %s", got)
	}
	if got := sequence(t, p, 200, 2); got != "low high" {
		t.Errorf("picked %s though none is there: a stale reading frees the lease, no reading does not", got)
	}
}

func TestALaggingEndpointIsNotPreferredUntilItHasCaughtUp(t *testing.T) {
	p := admitted("a", "lags", "c")
	for i, head := range []int64{1000, 950, 1000} {
		p.Endpoints()[i].Saw(head)
	}
	if got := sequence(t, p, 0, 4); got != "a c a c" {
		t.Errorf("picked %s", got)
	}
	p.Endpoints()[1].Saw(996)
	if got := sequence(t, p, 0, 3); !strings.Contains(got, "lags") {
		t.Errorf("picked %s after it caught up", got)
	}
}

func TestAvoidedEndpointsAreNotPicked(t *testing.T) {
	p := admitted("a", "b")
	a := pick(t, p, 0)
	if got := pick(t, p, 0, a); got.Name() != "b" {
		t.Errorf("picked %s", got.Name())
	}
	if _, err := p.Pick(0, p.Endpoints()...); err == nil {
		t.Error("picked an endpoint though all were to be avoided")
	}
}

func TestOneFailureIsRememberedButDoesNotStopAnEndpoint(t *testing.T) {
	p := admitted("a", "b")
	if out := p.Endpoints()[0].Failed(broken, 0); out != 0 {
		t.Errorf("out for %v after one failure", out)
	}
	if got := sequence(t, p, 0, 2); got != "b b" {
		t.Errorf("picked %s, want the one that did not fail", got)
	}
	p.Endpoints()[0].Succeeded()
	if got := sequence(t, p, 0, 1); got != "a" {
		t.Errorf("picked %s after a success", got)
	}
}

// The whole outage is walked through in false time: what an outage costs, and how late its end is noticed.
func TestWhileAllAreDownFewCallsAreMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := admitted("a")
		calls, began := 0, time.Now()
		for time.Since(began) < 2*time.Minute {
			if e, err := p.Pick(0); err == nil {
				calls++
				e.Failed(broken, 0)
				e.Release()
			}
			pass(10 * time.Millisecond)
		}
		if calls < 12 || calls > 25 {
			t.Errorf("%d calls in two minutes, want one in ten seconds and a few at the start", calls)
		}
		for from := time.Now(); ; pass(10 * time.Millisecond) {
			if e, err := p.Pick(0); err == nil {
				e.Succeeded()
				e.Release()
				if late := time.Since(from); late > 10*time.Second {
					t.Errorf("the end of the outage was noticed after %v", late)
				}
				break
			}
		}
		if got := sequence(t, p, 0, 3); got != "a a a" {
			t.Errorf("picked %s after the trial", got)
		}
	})
}

func TestABrokenEndpointIsTriedWithOneTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := admitted("a")
		a := p.Endpoints()[0]
		a.Failed(broken, 0)
		out := a.Failed(broken, 0)
		if out < 375*time.Millisecond || out > 500*time.Millisecond {
			t.Errorf("out for %v, want about half a second", out)
		}
		expectNone(t, p, "unreachable", "connection refused")
		pass(out)
		trial := pick(t, p, 0)
		expectNone(t, p, "unreachable", "connection refused")
		trial.Succeeded()
		pick(t, p, 0).Release()
	})
}

func TestAPauseThatTheNodeAskedForOutlivesASuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := admitted("a")
		a := p.Endpoints()[0]
		if out := a.Failed(upstream.Fault{Code: "rate_limited", Text: "429"}, 7*time.Second); out != 7*time.Second {
			t.Errorf("out for %v", out)
		}
		a.Succeeded() // a request that had begun before
		pass(6 * time.Second)
		expectNone(t, p, "rate_limited", "429")
		if !a.Paused() {
			t.Error("not paused")
		}
		pass(time.Second)
		pick(t, p, 0).Release()
	})
}

func TestAPauseOfAYearIsCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := admitted("a")
		p.Endpoints()[0].Failed(broken, 365*24*time.Hour)
		p.Endpoints()[0].Failed(broken, time.Second) // a shorter one does not shorten it
		pass(upstream.LongestPause - time.Second)
		expectNone(t, p, "unreachable", "")
		pass(time.Second)
		pick(t, p, 0).Release()
	})
}

func TestAQuarantinedEndpointStaysOutWhateverSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := admitted("a", "b")
		a := p.Endpoints()[0]
		wrong := upstream.Fault{Code: "wrong_chain", Text: "answers chain id 1"}
		if !a.Quarantine(wrong) || a.Quarantine(wrong) {
			t.Error("the alarm is not raised exactly once")
		}
		a.Succeeded()
		pass(time.Hour)
		if got := sequence(t, p, 0, 3); got != "b b b" {
			t.Errorf("picked %s", got)
		}
		p.Endpoints()[1].Failed(broken, 0)
		p.Endpoints()[1].Failed(broken, 0)
		expectNone(t, p, "", "a (wrong_chain: answers chain id 1), b (unreachable: connection refused)")
	})
}

func TestTheBudgetIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := upstream.New([]upstream.Member{{Name: "a", RPS: 20}, {Name: "free"}}, upstream.Settings{})
		a, began := p.Endpoints()[0], time.Now()
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 25 {
					if err := a.Wait(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if took := time.Since(began); took < 9*time.Second || took > 11*time.Second {
			t.Errorf("200 requests at 20 a second took %v", took)
		}
		began = time.Now()
		for range 1000 {
			if err := p.Endpoints()[1].Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("an unlimited endpoint made us wait %v", took)
		}
	})
}

func TestAnEndpointWithoutBudgetLeftIsNotPreferred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := upstream.New([]upstream.Member{{Name: "slow", RPS: 1}, {Name: "b"}}, upstream.Settings{})
		for _, e := range p.Endpoints() {
			e.Admit()
		}
		slow := pick(t, p, 0)
		if err := slow.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		slow.Release()
		if got := sequence(t, p, 0, 2); got != "b b" {
			t.Errorf("picked %s", got)
		}
		pass(time.Second)
		if got := sequence(t, p, 0, 1); got != "slow" {
			t.Errorf("picked %s with a new budget", got)
		}
	})
}

func TestStatesTellWhatIsWrongAndUntilWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := admitted("a", "b")
		p.Endpoints()[0].Saw(7)
		p.Endpoints()[0].Took(40 * time.Millisecond)
		p.Endpoints()[1].Failed(broken, 3*time.Second)
		want := []upstream.State{
			{Name: "a", Head: 7, Concurrency: 2, Latency: 40 * time.Millisecond},
			{Name: "b", Fault: &broken, Until: time.Now().Add(3 * time.Second), Failures: 1, Concurrency: 2},
		}
		if diff := cmp.Diff(want, p.States()); diff != "" {
			t.Error(diff)
		}
	})
}

// The race detector is the judge here, and the count: what was picked is given back.
func TestManyMayUseAPoolAtOnce(t *testing.T) {
	p := admitted("a", "b", "c")
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 200 {
				e, err := p.Pick(int64(i))
				if err != nil {
					continue
				}
				switch (worker + i) % 5 {
				case 0:
					e.Failed(broken, 0)
				case 1:
					e.Saw(int64(i))
				case 2:
					e.Quarantine(broken)
					e.Admit()
				default:
					e.Succeeded()
				}
				p.Tip()
				e.Release()
			}
		})
	}
	all.Wait()
	for _, s := range p.States() {
		if s.InFlight != 0 {
			t.Errorf("%s has %d in flight", s.Name, s.InFlight)
		}
	}
}
