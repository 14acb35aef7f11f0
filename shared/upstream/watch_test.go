package upstream_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balance-sync/balance-sync/shared/upstream"
)

func TestAWatchIsReadyAfterItsFirstRoundAndEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		rounds, ready, ended := 0, -1, false
		go func() {
			upstream.Watch(ctx, 10*time.Second, func(context.Context) { rounds++ }, func() { ready = rounds })
			ended = true
		}()
		synctest.Wait()
		if rounds != 1 || ready != 1 {
			t.Errorf("%d rounds at once, ready after %d", rounds, ready)
		}
		pass(35 * time.Second)
		synctest.Wait()
		if rounds != 4 || ready != 1 || ended {
			t.Errorf("%d rounds after 35 s, ready after %d, ended %t", rounds, ready, ended)
		}
		stop()
		synctest.Wait()
		if rounds != 4 || !ended {
			t.Errorf("%d rounds, ended %t", rounds, ended)
		}
	})
}
