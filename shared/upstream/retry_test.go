package upstream_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balance-sync/balance-sync/shared/upstream"
)

// readEverywhere asks three endpoints for the same rows, one after the other, and counts first tries and retries.
func readEverywhere(t *testing.T, p *upstream.Pool, fail func(*upstream.Endpoint)) (first, again int) {
	t.Helper()
	var tried []*upstream.Endpoint
	for len(tried) < 3 {
		e, err := p.Pick(0, tried...)
		var none *upstream.Unavailable
		switch {
		case err == nil:
		case errors.Is(err, upstream.ErrRetryBudget) && len(tried) > 0, errors.As(err, &none):
			return first, again
		default:
			t.Fatal(err)
		}
		if len(tried) == 0 {
			first++
		} else {
			again++
		}
		fail(e)
		e.Release()
		tried = append(tried, e)
	}
	return first, again
}

// A fault that breaks no endpoint, such as a block that all lack, is where retries would multiply the load.
func TestRetriesAreAFifthOfTheFirstTriesAndAFew(t *testing.T) {
	p := admitted("a", "b", "c")
	first, again := 0, 0
	for range 1000 {
		f, a := readEverywhere(t, p, func(*upstream.Endpoint) {})
		first, again = first+f, again+a
	}
	if first != 1000 || again > first/5+10 || again < first/5 {
		t.Errorf("%d first tries, %d retries", first, again)
	}
}

func TestWhileAllAreDownRetriesAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := admitted("a", "b", "c")
		first, again := 0, 0
		for began := time.Now(); time.Since(began) < 2*time.Minute; pass(10 * time.Millisecond) {
			f, a := readEverywhere(t, p, func(e *upstream.Endpoint) { e.Failed(broken, 0) })
			first, again = first+f, again+a
		}
		if calls := first + again; calls < 3*12 || calls > 3*25 || again > first/5+10 {
			t.Errorf("%d first tries and %d retries in two minutes of 12,000 readings", first, again)
		}
	})
}

func TestWhatIsSavedUpForRetriesIsBounded(t *testing.T) {
	p := admitted("a", "b")
	a := p.Endpoints()[0]
	sequence(t, p, 0, 10_000)
	for i := range 10 {
		e, err := p.Pick(0, a)
		if err != nil {
			t.Fatalf("retry %d after 10,000 first tries: %v", i, err)
		}
		e.Release()
	}
	if _, err := p.Pick(0, a); !errors.Is(err, upstream.ErrRetryBudget) {
		t.Errorf("retry 11: %v", err)
	}
	sequence(t, p, 0, 5)
	pick(t, p, 0, a).Release() // five first tries later
	if _, err := p.Pick(0, a); !errors.Is(err, upstream.ErrRetryBudget) {
		t.Errorf("a second retry after five first tries: %v", err)
	}
	pick(t, p, 0).Release() // a first try is never refused
}

func TestARetryThatNobodyCouldServeCostsNothing(t *testing.T) {
	p := admitted("a")
	a := p.Endpoints()[0]
	for range 50 {
		var none *upstream.Unavailable
		if _, err := p.Pick(0, a); !errors.As(err, &none) {
			t.Fatalf("%v", err)
		}
	}
}
