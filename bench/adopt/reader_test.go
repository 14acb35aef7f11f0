package adopt

import (
	"context"
	"hash/fnv"
	"math/big"
	"sync"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// ledger is a chain whose every balance at every height follows from a formula. It reads for fetch.Run, as a fetcher's Reader does, and each
// reading is a block later than the one before.
type ledger struct {
	slow time.Duration // how long every third reading takes: time enough for a neighbour to take the row away

	mu     sync.Mutex // guards below
	height int64
	calls  int
}

func newLedger(slow time.Duration) *ledger { return &ledger{slow: slow, height: 1_000} }

// now is the height of the last reading.
func (l *ledger) now() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.height
}

func (l *ledger) Read(ctx context.Context, rows []fetch.Row, _ int64) []fetch.Outcome {
	l.mu.Lock()
	l.height++
	l.calls++
	height, late := l.height, l.slow > 0 && l.calls%3 == 0
	l.mu.Unlock()
	proof := &fetch.Proof{Endpoint: "ledger", Route: "formula", Height: height, Parent: "0xparent", Finality: "latest", ObservedAt: time.Now(), Tip: height, Agree: 1}
	outcomes := make([]fetch.Outcome, len(rows))
	for i, row := range rows {
		outcomes[i] = fetch.Outcome{Raw: balance(row.Address, row.Asset.Contract, height), Proof: proof}
	}
	if late {
		select {
		case <-ctx.Done():
			for i := range outcomes {
				outcomes[i] = fetch.EndpointError(wire.CodeUnreachable, "stopped")
			}
		case <-time.After(l.slow):
		}
	}
	return outcomes
}

// balance is what an address holds of a contract after a block: some thirty digits, another in each block.
func balance(address, contract string, height int64) string {
	hash := fnv.New128a()
	_, _ = hash.Write([]byte(address + "/" + contract)) // a hash takes everything
	sum := new(big.Int).SetBytes(hash.Sum(nil)[:12])
	return sum.Add(sum, big.NewInt(height)).String()
}
