package upstream_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balance-sync/balance-sync/shared/upstream"
)

// spend sends n requests by each of the endpoints and says how long that took.
func spend(t *testing.T, n int, endpoints ...*upstream.Endpoint) time.Duration {
	t.Helper()
	began := time.Now()
	var all sync.WaitGroup
	for _, e := range endpoints {
		all.Go(func() {
			for range n {
				if err := e.Wait(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	return time.Since(began)
}

func TestEndpointsOfOneKeyShareItsBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budgets := &upstream.Budgets{}
		bsc := upstream.New([]upstream.Member{{Name: "a", RPS: 10, Budget: "key"}, {Name: "b", RPS: 10, Budget: "key"}, {Name: "own", RPS: 10}},
			upstream.Settings{Budgets: budgets}).Endpoints()
		eth := upstream.New([]upstream.Member{{Name: "a", RPS: 10, Budget: "key"}}, upstream.Settings{Budgets: budgets}).Endpoints()
		if took := spend(t, 40, bsc[0], bsc[1], eth[0]); took < 11*time.Second || took > 13*time.Second {
			t.Errorf("120 requests of one key at 10 a second took %v", took)
		}
		if took := spend(t, 40, bsc[2]); took < 3*time.Second || took > 5*time.Second {
			t.Errorf("40 requests of a budget of its own took %v", took)
		}
	})
}

// Two rates for one key are a mistake, or two replicas' ideas of it: too little is slow, too much is a suspension.
func TestTheLowestRateOfAKeyHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, rates := range [][]float64{{5, 50, 0}, {50, 5, 0}, {0, 50, 5}} {
			var members []upstream.Member
			for _, rps := range rates {
				members = append(members, upstream.Member{RPS: rps, Budget: "key"})
			}
			p := upstream.New(members, upstream.Settings{})
			if took := spend(t, 10, p.Endpoints()...); took < 5*time.Second || took > 7*time.Second {
				t.Errorf("30 requests at rates of %v took %v, want 6 s", rates, took)
			}
		}
	})
}

func TestARateLimitIsTheKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budgets := &upstream.Budgets{}
		bsc := upstream.New([]upstream.Member{{Name: "a", Budget: "key"}, {Name: "b", Budget: "key"}, {Name: "own"}}, upstream.Settings{Budgets: budgets})
		eth := upstream.New([]upstream.Member{{Name: "c", Budget: "key"}}, upstream.Settings{Budgets: budgets})
		for _, p := range []*upstream.Pool{bsc, eth} {
			for _, e := range p.Endpoints() {
				e.Admit()
			}
		}
		a := bsc.Endpoints()[0]
		if out := a.Limited(tooMany, 30*time.Second); out != 30*time.Second {
			t.Errorf("out for %v", out)
		}
		a.Succeeded() // of a request that was under way
		pass(29 * time.Second)
		if got := sequence(t, bsc, 0, 3); got != "own own own" {
			t.Errorf("picked %s", got)
		}
		expectNone(t, eth, "rate_limited", "c (rate_limited: HTTP 429)")
		if !eth.Endpoints()[0].Paused() || bsc.Endpoints()[2].Paused() {
			t.Error("the pause is not that of the key alone")
		}
		pass(time.Second)
		pick(t, eth, 0).Release()
	})
}
