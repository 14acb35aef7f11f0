package fetch_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// reader is a scripted chain: read decides about a row, given how often it was asked for. It remembers every call.
type reader struct {
	read func(row fetch.Row, try int) fetch.Outcome

	mu    sync.Mutex // guards below
	calls []int      // the rows of each call
	tries map[string]int
	least int64
}

func (r *reader) Read(_ context.Context, rows []fetch.Row, atLeast int64) []fetch.Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tries == nil {
		r.tries = map[string]int{}
	}
	r.calls, r.least = append(r.calls, len(rows)), atLeast
	outcomes := make([]fetch.Outcome, len(rows))
	for i, row := range rows {
		r.tries[row.Address]++
		outcomes[i] = r.read(row, r.tries[row.Address])
	}
	return outcomes
}

func (r *reader) called() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]int(nil), r.calls...)
}

// proof is where the scripted values stand.
var proof = &fetch.Proof{Endpoint: "node-a", Route: "batch", Height: 42, Parent: "0xparent", Finality: "latest-1",
	ObservedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Tip: 43, Agree: 2}

// seven is the value of every row.
func seven(fetch.Row, int) fetch.Outcome { return fetch.Outcome{Raw: "7", Proof: proof} }

// readFunc is a Reader that needs no memory.
type readFunc func(ctx context.Context, rows []fetch.Row, atLeast int64) []fetch.Outcome

func (f readFunc) Read(ctx context.Context, rows []fetch.Row, atLeast int64) []fetch.Outcome {
	return f(ctx, rows, atLeast)
}

// gated reads sevens, each call after it was let through.
type gated struct {
	entered chan int      // the rows of a call that has begun
	gate    chan struct{} // lets one call through
}

func newGated() *gated { return &gated{entered: make(chan int, 100), gate: make(chan struct{}, 100)} }

func (g *gated) Read(ctx context.Context, rows []fetch.Row, _ int64) []fetch.Outcome {
	g.entered <- len(rows)
	outcomes := make([]fetch.Outcome, len(rows))
	select {
	case <-g.gate:
		for i := range outcomes {
			outcomes[i] = fetch.Outcome{Raw: "7", Proof: proof}
		}
	case <-ctx.Done():
		for i := range outcomes {
			outcomes[i] = fetch.EndpointError(wire.CodeUnreachable, ctx.Err().Error())
		}
	}
	return outcomes
}

func ExampleReader() {
	var halves fetch.Reader = readFunc(func(_ context.Context, rows []fetch.Row, _ int64) []fetch.Outcome {
		outcomes := make([]fetch.Outcome, len(rows))
		for i, row := range rows {
			if row.Address == "" {
				outcomes[i] = fetch.RowError(wire.CodeBadAddress, "no address")
				continue
			}
			outcomes[i] = fetch.Outcome{Raw: "1500000", Proof: &fetch.Proof{Endpoint: "node-a", Height: 42}}
		}
		return outcomes
	})
	for _, o := range halves.Read(context.Background(), []fetch.Row{{Address: "0xabc"}, {}}, 0) {
		fmt.Println(o.Raw, o.Err != nil)
	}
	// Output:
	// 1500000 false
	//  true
}
