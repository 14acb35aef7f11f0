package upstream_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balance-sync/balance-sync/shared/upstream"
)

var tooMany = upstream.Fault{Code: "rate_limited", Text: "HTTP 429"}

func begin(t *testing.T, e *upstream.Endpoint) (end func()) {
	t.Helper()
	end, err := e.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return end
}

// atOnce lets many clients ask for d, each request taking 100 ms, and gives the most that were under way together in the last second.
func atOnce(t *testing.T, e *upstream.Endpoint, d time.Duration) int {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), d)
	defer stop()
	began := time.Now()
	var mu sync.Mutex
	now, most := 0, 0
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			for ctx.Err() == nil {
				end, err := e.Begin(ctx)
				if err != nil {
					return
				}
				mu.Lock()
				if now++; time.Since(began) > d-time.Second {
					most = max(most, now)
				}
				mu.Unlock()
				pass(100 * time.Millisecond)
				e.Succeeded()
				mu.Lock()
				now--
				mu.Unlock()
				end()
			}
		})
	}
	all.Wait()
	return most
}

func TestConcurrencyStartsAtTwoAndGrowsToWhatIsAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := upstream.New([]upstream.Member{{Name: "a", Concurrency: 5}, {Name: "b"}, {Name: "c", Concurrency: 1}}, upstream.Settings{})
		for i, want := range []int{2, 2, 1} {
			if got := p.States()[i].Concurrency; got != want {
				t.Errorf("endpoint %d starts with %d, want %d", i, got, want)
			}
		}
		for i, want := range []int{5, upstream.DefaultConcurrency, 1} {
			if got := atOnce(t, p.Endpoints()[i], 10*time.Second); got != want {
				t.Errorf("endpoint %d: %d requests at once, want %d", i, got, want)
			}
		}
	})
}

func TestConcurrencyThatNobodyNeedsDoesNotGrow(t *testing.T) {
	p := admitted("a")
	a := p.Endpoints()[0]
	for range 100 {
		begin(t, a)()
		a.Succeeded()
	}
	if got := p.States()[0].Concurrency; got != 2 {
		t.Errorf("%d at once after 100 requests one by one", got)
	}
}

func TestARateLimitHalvesConcurrencyAndItComesBackSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := admitted("a")
		a := p.Endpoints()[0]
		atOnce(t, a, 10*time.Second)
		for range 8 { // all that were under way are refused: that is one event
			a.Limited(tooMany, 0)
		}
		if got := p.States()[0].Concurrency; got != 4 {
			t.Errorf("%d at once after a rate limit, want half of 8", got)
		}
		pass(upstream.ShortestPause)
		if got := atOnce(t, a, 5*time.Second+2*time.Second); got != 5 {
			t.Errorf("%d at once 8 s after the rate limit, want one more than 4", got)
		}
		for range 6 {
			a.Limited(tooMany, 0)
			pass(upstream.ShortestPause)
		}
		if got := p.States()[0].Concurrency; got != 1 {
			t.Errorf("%d at once after many rate limits, want one", got)
		}
		if got := atOnce(t, a, time.Minute); got != 8 {
			t.Errorf("%d at once a minute later, want 8", got)
		}
	})
}

func TestABusyEndpointIsNotPreferred(t *testing.T) {
	p := upstream.New([]upstream.Member{{Name: "small", Concurrency: 1}, {Name: "large"}}, upstream.Settings{})
	for _, e := range p.Endpoints() {
		e.Admit()
	}
	var names string
	for range 3 { // none is given back
		names += pick(t, p, 0).Name() + " "
	}
	if names != "small large large " {
		t.Errorf("picked %s", names)
	}
}

func TestWhoWaitsForASlotGetsItInTurnOrGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := upstream.New([]upstream.Member{{Name: "a", Concurrency: 1}}, upstream.Settings{})
		a := p.Endpoints()[0]
		end := begin(t, a)
		ctx, cancel := context.WithCancel(t.Context())
		gaveUp, served := make(chan error, 1), make(chan func(), 1)
		go func() {
			_, err := a.Begin(ctx)
			gaveUp <- err
		}()
		synctest.Wait()
		go func() { served <- begin(t, a) }()
		synctest.Wait()
		cancel()
		if err := <-gaveUp; !errors.Is(err, context.Canceled) {
			t.Errorf("gave up with %v", err)
		}
		select {
		case <-served:
			t.Fatal("two requests at once")
		default:
		}
		end()
		end() // the second call gives nothing back
		(<-served)()
		begin(t, a)()
	})
}

// A slot that is given in the moment in which its receiver gives up is not lost.
func TestNoSlotIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := upstream.New([]upstream.Member{{Name: "a", Concurrency: 1}}, upstream.Settings{})
		a := p.Endpoints()[0]
		for range 100 {
			end := begin(t, a)
			ctx, cancel := context.WithCancel(t.Context())
			var waiting sync.WaitGroup
			waiting.Go(func() {
				if end, err := a.Begin(ctx); err == nil {
					end()
				}
			})
			synctest.Wait()
			cancel() // it wakes up for this, and finds
			end()    // that it was given the slot meanwhile
			waiting.Wait()
		}
	})
}

func TestNoRequestIsSentWhileTheNodeWantsToBeLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := upstream.New([]upstream.Member{{Name: "a", Concurrency: 1, RPS: 1}}, upstream.Settings{})
		a := p.Endpoints()[0]
		end := begin(t, a)
		waiting := make(chan error, 2)
		for range 2 { // one for the slot, and then one for the budget
			go func() {
				_, err := a.Begin(t.Context())
				waiting <- err
			}()
		}
		synctest.Wait()
		end()
		synctest.Wait() // one waits for its second now
		a.Limited(tooMany, time.Minute)
		for range 2 {
			var fault *upstream.Fault
			if err := <-waiting; !errors.As(err, &fault) || *fault != tooMany {
				t.Errorf("a request that waited when the pause began got %v", err)
			}
		}
		if _, err := a.Begin(t.Context()); err == nil {
			t.Error("a request was let through in the pause")
		}
		pass(time.Minute)
		begin(t, a)()
	})
}
