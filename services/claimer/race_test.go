package claimer

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

func TestEightClaimersNeverLeaseARowTwice(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	const rows = 6000
	d.rows(d.token(bsc, "0x1"), rows)

	var mu sync.Mutex
	holder := map[uuid.UUID]string{}
	var group errgroup.Group
	for i := range 8 {
		group.Go(func() error {
			s := NewStore(d.pool, fmt.Sprint(i), testLease)
			sweep := NewSweep(s, bsc, 700)
			for passes := 0; passes < 2; { // one that starts anywhere, and a whole one
				step, err := sweep.Step(t.Context(), []int{10, 50, 100}[i%3])
				if err != nil {
					return err
				}
				if step.Pass != nil {
					passes++
					continue
				}
				mu.Lock()
				for _, row := range step.Claimed.Rows {
					if other, taken := holder[row.ID]; taken {
						t.Errorf("row %s is leased by %s and %s", row.ID, other, step.Claimed.Name)
					}
					holder[row.ID] = step.Claimed.Name
				}
				mu.Unlock()
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if len(holder) != rows {
		t.Errorf("%d of %d rows were leased", len(holder), rows)
	}
	held := map[uuid.UUID]string{}
	for id, name := range allPairs(d, "SELECT id, locked_by FROM wallet_balances WHERE processing_status = 'processing'") {
		held[id] = name
	}
	for id, name := range holder {
		if held[id] != name {
			t.Errorf("row %s was leased to %s and is held by %q", id, name, held[id])
		}
	}
}
