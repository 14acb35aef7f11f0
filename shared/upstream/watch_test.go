package upstream_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balance-sync/balance-sync/shared/upstream"
)

func TestAWatchIsReadyAfterItsFirstRoundAndEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var rounds, ready atomic.Int32
		ended := make(chan struct{})
		go func() {
			upstream.Watch(ctx, 10*time.Second, func(context.Context) { rounds.Add(1) }, func() { ready.Store(100 + rounds.Load()) })
			close(ended)
		}()
		synctest.Wait()
		if rounds.Load() != 1 || ready.Load() != 101 {
			t.Errorf("%d rounds at once, ready %d", rounds.Load(), ready.Load())
		}
		pass(35 * time.Second)
		if rounds.Load() != 4 || ready.Load() != 101 {
			t.Errorf("%d rounds after 35 s, ready %d", rounds.Load(), ready.Load())
		}
		stop()
		<-ended
		if rounds.Load() != 4 {
			t.Errorf("%d rounds", rounds.Load())
		}
	})
}
