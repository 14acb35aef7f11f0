package fetch_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/stream"
)

// fetcherAt is a fetcher of bsc on the broker at url.
func fetcherAt(url string, open func() ([]fetch.Fleet, error)) fetch.Fetcher {
	return fetch.Fetcher{Chains: []chain.Config{bsc}, Config: config, CheckEvery: time.Minute, Open: open,
		NATS: stream.Options{URL: secret.New(strings.Replace(url, "nats://", "nats://fetcher-evm:fetcher-evm@", 1)), Service: "fetcher-evm", Instance: "1"}}
}

func TestNoClaimIsReadBeforeTheFirstRoundOfChecks(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	c := claimOf("balsync:h:1", 3)
	b.send(c, time.Minute)
	process := newProcess(nil)
	read, closed := make(chan struct{}, 1), atomic.Int32{}
	fleet := fetch.Fleet{Chain: bsc, Close: func() { closed.Add(1) }}
	fleet.Reader = &reader{read: func(row fetch.Row, try int) fetch.Outcome {
		select {
		case read <- struct{}{}:
		default:
		}
		return seven(row, try)
	}}
	fleet.Round = func(context.Context) {
		if _, states := process.Health.Ready(); states["fetcher-evm."+fetch.Dependency(bsc)] != "not checked yet" {
			t.Errorf("before the first round: %v", states)
		}
		select {
		case <-read:
			t.Error("a claim is read before the nodes are checked")
		case <-time.After(300 * time.Millisecond):
		}
		process.Report(fetch.Dependency(bsc), nil)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() {
		ended <- fetcherAt(b.server.URL(), func() ([]fetch.Fleet, error) { return []fetch.Fleet{fleet}, nil }).Serve(ctx, process)
	}()
	<-read
	if got := counts(b.answered(c)); got != "[7:3]" {
		t.Errorf("%s", got)
	}
	if closed.Load() != 0 {
		t.Error("the fleet is closed while it is read")
	}
	stop()
	if err := <-ended; err != nil || closed.Load() != 1 {
		t.Errorf("%v, the fleet was closed %d times", err, closed.Load())
	}
}

func TestAFetcherWithoutItsNodesEnds(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	bad := errors.New("multicall: no address")
	err := fetcherAt(b.server.URL(), func() ([]fetch.Fleet, error) { return nil, bad }).Serve(within(t), newProcess(nil))
	if !errors.Is(err, bad) {
		t.Error(err)
	}
}

func TestAFetcherThatIsStoppedBeforeItsBrokerAnswersEndsWell(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	open := func() ([]fetch.Fleet, error) { return nil, errors.New("opened without a broker") }
	if err := fetcherAt("nats://127.0.0.1:1", open).Serve(ctx, newProcess(nil)); err != nil {
		t.Error(err)
	}
}
