package writer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
)

func TestTheAckComesAfterTheCommit(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	r, s := l.leased("balsync:a:1"), l.leased("balsync:a:2")
	l.send(result(r), result(s))
	acks := 0
	l.app.handle(t.Context(), with(l.take(2), func(msg jetstream.Msg) error {
		acks++
		// What another session sees at the moment of the ack.
		l.want(l.row(r), free)
		l.want(l.row(s), free)
		return msg.Ack()
	}))
	if acks != 2 {
		t.Errorf("%d acks", acks)
	}
	l.settled()
}

func TestAMessageThatFailsBeforeCommitComesAgain(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	r := l.leased("balsync:a:1")
	before := l.row(r)
	release := l.locked()
	l.send(result(r))
	messages := l.take(1)
	ctx, cancel := context.WithCancel(t.Context())
	finished := l.background(func(context.Context) { l.app.handle(ctx, messages) })
	wait.For(t, 10*time.Second, "the apply waits", func() bool {
		return l.text(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == "1"
	})
	cancel() // the process is stopped, and its time is up
	finished()
	release()
	if diff := cmp.Diff(before, l.row(r)); diff != "" {
		t.Errorf("the row was written (-before +after):\n%s", diff)
	}
	again := l.take(1)
	if meta, err := again[0].Metadata(); err != nil || meta.NumDelivered != 2 {
		t.Fatalf("delivered %v times, %v", meta, err)
	}
	l.app.handle(t.Context(), again)
	l.want(l.row(r), `{"on_chain_balance_raw": "1500000", "sync_count": 1}`)
	l.settled()
}

func TestALostAckAppliesTheMessageAgainAndChangesNothing(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	good, bad := l.leased("balsync:a:1"), l.leased("balsync:a:1").fail(RowFault, "reverted", "")
	l.send(result(good, bad))
	l.app.handle(t.Context(), with(l.take(1), func(jetstream.Msg) error { return nil })) // the broker never hears of it
	rows := []columnsOf{l.row(good), l.row(bad)}
	l.want(rows[0], `{"sync_count": 1}`)
	again := l.take(1) // after AckWait
	l.app.handle(t.Context(), again)
	if diff := cmp.Diff(rows, []columnsOf{l.row(good), l.row(bad)}); diff != "" {
		t.Errorf("(-once +twice):\n%s", diff)
	}
	if l.fate(Applied) != 1 || l.fate(Failed) != 1 || l.fate(Superseded) != 2 {
		t.Errorf("%d applied, %d failed, %d superseded", l.fate(Applied), l.fate(Failed), l.fate(Superseded))
	}
	l.settled()
}

// Half of the rows get every message twice, the others once: the same results, and so the same rows.
func TestEveryMessageDeliveredTwiceGivesTheSameTable(t *testing.T) {
	t.Parallel()
	l := newLine(t, nil)
	const rows = 40
	var once, twice []Row
	for range rows {
		once, twice = append(once, l.leased("balsync:a:1")), append(twice, l.leased("balsync:a:1"))
	}
	dice := rand.New(rand.NewPCG(1, 2))
	var results []*wire.Result
	for message := range 20 {
		claim, height := fmt.Sprintf("balsync:a:%d", 1+dice.IntN(3)), int64(100+dice.IntN(5))
		var a, b []Row
		for i := range rows {
			r, s := once[i], twice[i]
			r.Claim, r.Height, r.ObservedAt = claim, height, l.start.Add(time.Duration(message)*time.Second)
			r.Raw = fmt.Sprint(dice.IntN(1000))
			switch dice.IntN(6) {
			case 0:
				r = r.fail(RowFault, "reverted", "")
			case 1:
				r.Kind, r.Error = Warned, "bad_decimals"
			}
			r.Height = height // of the message; an error row has none of its own
			s.Claim, s.Height, s.ObservedAt, s.Raw, s.Kind, s.Error = r.Claim, r.Height, r.ObservedAt, r.Raw, r.Kind, r.Error
			a, b = append(a, r), append(b, s)
		}
		results = append(results, result(a...), result(b...), result(b...))
	}
	for start := 0; start < len(results); start += 4 {
		l.deliver(results[start:min(start+4, len(results))]...)
	}
	for i := range rows {
		want, got := l.row(once[i]), l.row(twice[i])
		for _, c := range []string{"on_chain_balance_raw", "on_chain_balance_human", "observed_epoch", "observed_height", "observed_at", "observed_by",
			"sync_count", "error_count", "last_error", "last_error_at", "processing_status", "locked_by", "locked_until", "last_checked"} {
			if want[c] != got[c] {
				t.Errorf("row %d: %s is %v, and %v when every message comes twice", i, c, want[c], got[c])
			}
		}
	}
	l.settled()
}
