package fetcherevm

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balance-sync/balance-sync/shared/upstream"
	"golang.org/x/sync/errgroup"
)

// outage is three scripted endpoints under load, in false time. The load is claims as they come: each worker reads a row, and again
// after a pause, like the slots of the fetch loop.
type outage struct {
	reader *reader
	nodes  []*script
	mode   atomic.Value // how the endpoints misbehave
	pause  atomic.Int64 // between two readings of a worker, in ns: busy, or long enough to be cheap and short against every break
	began  time.Time
	// reads counts the readings, good those that gave the row's value; firstGood is when the first of those was, in ns since began.
	reads, good, firstGood atomic.Int64
}

const (
	workers = 6 // sweep and fast slots of a chain
	busy    = 60 * time.Millisecond
	patient = 600 * time.Millisecond
)

// underLoad runs the test beside load. fault says how a request misbehaves while the mode is set.
func underLoad(t *testing.T, fault func(mode string) string, test func(t *testing.T, o *outage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		config := setup()
		config.Route, config.Timeout = batch.String(), 3*time.Second
		f, err := newFleet(config, chainOf("http://a.invalid", "http://b.invalid", "http://c.invalid"), newProcess(io.Discard))
		if err != nil {
			t.Fatal(err)
		}
		o := &outage{reader: &reader{fleet: f, gas: config.Gas, maxGas: config.MaxGas}, began: time.Now()}
		o.mode.Store("")
		o.pause.Store(int64(busy))
		o.nodes = scripted(o.reader, func() string { return fault(o.mode.Load().(string)) })
		ctx, stop := context.WithCancel(t.Context())
		var group errgroup.Group
		checked := make(chan struct{})
		group.Go(func() error {
			upstream.Watch(ctx, config.CheckEvery, f.round, func() { close(checked) })
			return nil
		})
		<-checked
		for range workers {
			group.Go(func() error { o.work(ctx, t); return nil })
		}
		test(t, o)
		stop()
		if err := group.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// work is one slot.
func (o *outage) work(ctx context.Context, t *testing.T) {
	rows := scriptedRows(1)
	truth := scriptedTruth(t, rows[0])
	for ctx.Err() == nil {
		got := o.reader.Read(ctx, rows, 0)[0]
		o.reads.Add(1)
		switch {
		case got.Raw == truth && got.Err == nil:
			o.good.Add(1)
			o.firstGood.CompareAndSwap(0, int64(time.Since(o.began)))
		case got.Raw != "" || got.Err == nil:
			t.Errorf("%s, %+v; want %s", got.Raw, got.Err, truth)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(o.pause.Load())):
		}
	}
}

// span is what came to pass in a time.
type span struct{ requests, batches, reads, good int64 }

// pass lets false time pass.
func (o *outage) pass(d time.Duration) span {
	before := o.count()
	<-time.After(d)
	after := o.count()
	return span{after.requests - before.requests, after.batches - before.batches, after.reads - before.reads, after.good - before.good}
}

func (o *outage) count() span {
	requests, batches := asked(o.nodes)
	return span{requests, batches, o.reads.Load(), o.good.Load()}
}

// FAULTS 27.
func TestWhileAllEndpointsAreDownTheyAreHardlyAskedAndThenUsedAgain(t *testing.T) {
	for _, mode := range []string{"429", "429 with Retry-After", "503", "refused", "silence", "slow-loris"} {
		t.Run(mode, func(t *testing.T) {
			underLoad(t, func(mode string) string { return mode }, func(t *testing.T, o *outage) {
				const normal, down = 3 * time.Second, 2 * time.Minute
				before := o.pass(normal)
				if before.good != before.reads || before.reads < 240 {
					t.Fatalf("before the outage: %+v", before)
				}
				most := float64(before.requests) / normal.Seconds() / 100 * down.Seconds()

				o.mode.Store(mode)
				o.pause.Store(int64(patient))
				during := o.pass(down)
				if during.good > workers { // answers under way
					t.Errorf("%d values while all is down", during.good)
				}
				if float64(during.requests) > most {
					t.Errorf("%d requests in the outage, %.0f are 1 %% of what is normal", during.requests, most)
				}

				o.mode.Store("")
				o.firstGood.Store(0)
				ended := time.Since(o.began)
				o.pass(15 * time.Second)
				if first := o.firstGood.Load(); first == 0 {
					t.Errorf("no value %v after the outage's end", time.Since(o.began)-ended)
				}
				o.pause.Store(int64(busy))
				o.pass(patient)
				if after := o.pass(2 * time.Second); after.good != after.reads || after.reads < 150 {
					t.Errorf("a quarter of a minute later: %+v", after)
				}
			})
		})
	}
}

func TestEndpointsThatFailNowAndThenAreNotAskedMuchMore(t *testing.T) {
	for _, mode := range []string{"429", "503", "refused", "silence"} {
		t.Run(mode, func(t *testing.T) {
			var count atomic.Int64
			fault := func(mode string) string {
				if count.Add(1)%20 == 0 {
					return mode
				}
				return ""
			}
			underLoad(t, fault, func(t *testing.T, o *outage) {
				o.mode.Store(mode)
				got := o.pass(20 * time.Second)
				if amplified := float64(got.batches) / float64(got.reads); amplified > 1.2 {
					t.Errorf("%.2f requests for a claim: %+v", amplified, got)
				}
				// Whoever says that it is over its rate is left alone; others are asked again elsewhere.
				if mode != "429" && float64(got.good) < 0.95*float64(got.reads) {
					t.Errorf("%+v, with one request in twenty that fails", got)
				}
			})
		})
	}
}
