package adopt

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// neighbours are workers of the application that use processing_status as their mutex and know nothing of us. Each is a session.
type neighbours struct {
	end   context.CancelFunc
	done  sync.WaitGroup
	ids   []string // the rows that they work on, in the order of their locks
	kept  atomic.Int64
	steps [4]atomic.Int64 // how often each worker went round
}

// picked locks some of the rows, always in one order, so that the neighbours do not deadlock with each other.
const picked = "WITH p AS MATERIALIZED (SELECT id FROM wallet_balances WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE) UPDATE wallet_balances w SET "

// startNeighbours lets them loose on the rows.
func startNeighbours(t *testing.T, url string, e example, ids []string) *neighbours {
	t.Helper()
	ctx, end := context.WithCancel(context.Background())
	n := &neighbours{end: end, ids: ids}
	t.Cleanup(n.stop)
	const unlock = "processing_status = 'idle', locked_by = NULL, locked_until = NULL FROM p WHERE w.id = p.id"
	type step struct {
		sql  string
		rest time.Duration // after it
	}
	for worker, steps := range [][]step{
		{ // Takes what is free, and gives back what it has taken.
			{picked + "processing_status = 'consolidating', locked_by = 'wallet-service', locked_until = now() + interval '1 min' FROM p WHERE w.id = p.id AND w.processing_status = 'idle'", 30 * time.Millisecond},
			{picked + unlock + " AND w.locked_by = 'wallet-service' AND w.processing_status = 'consolidating'", 5 * time.Millisecond},
		},
		{ // Takes what it wants, whoever has it, and clears the lock without looking whose it is.
			{picked + "processing_status = 'withdrawing' FROM p WHERE w.id = p.id", 60 * time.Millisecond},
			{picked + unlock, 5 * time.Millisecond},
		},
		{ // Frees rows that look stuck to it: among them leases of ours, in the middle of a reading.
			{picked + unlock, 15 * time.Millisecond},
		},
		{ // Keeps its books in the same row.
			{picked + e.bookkeeping + " FROM p WHERE w.id = p.id", 10 * time.Millisecond},
		},
	} {
		conn := connect(t, url, "wallet-service")
		n.done.Go(func() {
			for ctx.Err() == nil {
				// A round that has begun is finished: nothing of a neighbour's is left on a row at the end.
				some := n.some()
				for _, s := range steps {
					tag, err := conn.Exec(context.Background(), s.sql, pgx.QueryExecModeExec, some)
					if err != nil {
						t.Errorf("neighbour %d: %v", worker, err)
						return
					}
					if worker == 3 {
						n.kept.Add(tag.RowsAffected())
					}
					select {
					case <-ctx.Done():
					case <-time.After(s.rest):
					}
				}
				n.steps[worker].Add(1)
			}
		})
	}
	return n
}

// some are rows beside each other in the list, in places that the sweep visits at different times.
func (n *neighbours) some() []string {
	at := rand.N(len(n.ids) - 50)
	return n.ids[at : at+10+rand.N(20)]
}

// stop ends them and waits until they have.
func (n *neighbours) stop() {
	n.end()
	n.done.Wait()
}
