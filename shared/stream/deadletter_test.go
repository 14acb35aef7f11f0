package stream_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// letter is a dead letter as it is stored.
func letter(t *testing.T, conn *stream.Conn, sequence uint64) *jetstream.RawStreamMsg {
	t.Helper()
	s, err := conn.JS.Stream(within(t, patience), stream.DeadLetters)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := s.GetMsg(within(t, patience), sequence)
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func TestADeadLetterIsACopyThatSaysWhyAndEndsTheMessage(t *testing.T) {
	_, conn := ready(t)
	bad := message("garbage")
	bad.Header.Set(wire.HeaderSchema, "claims/9")
	bad.Header.Set("Nats-Expected-Last-Sequence", "0") // the broker obeys it: true of the message, it need not be of its letter
	if err := conn.Publish(within(t, patience), stream.Claims, "the id", bad); err != nil {
		t.Fatal(err)
	}
	if err := conn.DeadLetter(within(t, patience), next(t, conn), "unknown schema\n"+strings.Repeat("x", 500)); err != nil {
		t.Fatal(err)
	}
	settled(t, conn)
	got := letter(t, conn, 1)
	if got.Subject != "dlq."+subject || string(got.Data) != "garbage" {
		t.Errorf("%s: %q", got.Subject, got.Data)
	}
	headers := map[string]string{}
	for key := range got.Header {
		headers[key] = got.Header.Get(key)
	}
	if id := headers[nats.MsgIdHdr]; !strings.HasPrefix(id, "CLAIMS:1:") {
		t.Errorf("id %q", id)
	}
	for _, key := range []string{nats.MsgIdHdr, "Nats-Sequence", "Nats-Stream", "Nats-Subject", "Nats-Time-Stamp"} { // the broker's own
		delete(headers, key)
	}
	want := map[string]string{wire.HeaderSchema: "claims/9", wire.HeaderMsgID: "the id", wire.HeaderSubject: subject, wire.HeaderStream: stream.Claims,
		wire.HeaderSequence: "1", wire.HeaderDeliveries: "1", wire.HeaderReason: "unknown schema " + strings.Repeat("x", 185), nats.ExpectedStreamHdr: stream.DeadLetters}
	if diff := cmp.Diff(want, headers); diff != "" {
		t.Error(diff)
	}
}

func TestADeadLetterStoredTwiceIsOneCopy(t *testing.T) {
	t.Parallel()
	_, conn := ready(t)
	publish(t, conn, "garbage")
	if err := conn.CopyToDeadLetters(within(t, patience), next(t, conn), []byte("garbage"), "why", ""); err != nil {
		t.Fatal(err)
	}
	again := next(t, conn) // after a crash between the copy and the end of the message
	if err := conn.DeadLetter(within(t, patience), again, "why"); err != nil {
		t.Fatal(err)
	}
	settled(t, conn)
	if n := stored(t, conn, stream.DeadLetters); n != 1 {
		t.Errorf("%d dead letters, want 1", n)
	}
}

func TestPartsOfAMessageAreLettersOfTheirOwn(t *testing.T) {
	_, conn := ready(t)
	publish(t, conn, "three rows")
	msg := next(t, conn)
	for _, row := range []int{1, 3, 3} {
		if err := conn.CopyToDeadLetters(within(t, patience), msg, fmt.Appendf(nil, "row %d", row), "rejected", fmt.Sprint(row)); err != nil {
			t.Fatal(err)
		}
	}
	if n := stored(t, conn, stream.DeadLetters); n != 2 {
		t.Errorf("%d dead letters, want 2", n)
	}
	if got := string(letter(t, conn, 2).Data); got != "row 3" {
		t.Errorf("letter of %q", got)
	}
	if pending := info(t, conn).NumAckPending; pending != 1 {
		t.Error("the message was settled: that is its handler's part")
	}
}

func TestAMessageWhoseDeadLetterIsRefusedComesAgain(t *testing.T) {
	t.Parallel()
	_, conn := ready(t)
	conn.SetLetterDelay(50 * time.Millisecond) // sooner than AckWait would
	full := planned(t, quick(), bsc).Streams[2]
	full.MaxMsgs = 1
	if _, err := conn.JS.UpdateStream(within(t, patience), full); err != nil {
		t.Fatal(err)
	}
	publish(t, conn, "first", "second")
	if err := conn.DeadLetter(within(t, patience), next(t, conn), "why"); err != nil {
		t.Fatal(err)
	}
	if err := conn.DeadLetter(within(t, patience), next(t, conn), "why"); !errors.Is(err, stream.ErrFull) {
		t.Errorf("error %v, want that the stream is full", err)
	}
	again := next(t, conn)
	if meta, err := again.Metadata(); err != nil || meta.NumDelivered != 2 || string(again.Data()) != "second" {
		t.Errorf("%q at delivery %d, %v", again.Data(), meta.NumDelivered, err)
	}
	provision(t, conn, planned(t, quick(), bsc)) // an operator made room
	if err := conn.DeadLetter(within(t, patience), again, "why"); err != nil {
		t.Fatal(err)
	}
	settled(t, conn)
	if n := stored(t, conn, stream.DeadLetters); n != 2 {
		t.Errorf("%d dead letters, want 2", n)
	}
}

func TestAMessageThatFillsTheLimitStillGetsALetter(t *testing.T) {
	_, conn := ready(t)
	large := message(strings.Repeat("x", 1<<20-200)) // with a letter's headers it is above the limit
	if err := conn.Publish(within(t, patience), stream.Claims, "large", large); err != nil {
		t.Fatal(err)
	}
	if err := conn.DeadLetter(within(t, patience), next(t, conn), "why"); err != nil {
		t.Fatal(err)
	}
	settled(t, conn)
	got := letter(t, conn, 1)
	if reason := got.Header.Get(wire.HeaderReason); len(got.Data) != 0 || reason != "too large to copy: why" || got.Header.Get(wire.HeaderSequence) != "1" {
		t.Errorf("%d bytes, reason %q", len(got.Data), reason)
	}
}

func TestLettersOfAStreamThatWasLostDoNotHideThoseOfTheNext(t *testing.T) {
	_, conn := ready(t)
	for _, data := range []string{"first life", "second life"} {
		publish(t, conn, data)
		if err := conn.DeadLetter(within(t, patience), next(t, conn), "why"); err != nil {
			t.Fatal(err)
		}
		if err := conn.JS.DeleteStream(within(t, patience), stream.Claims); err != nil {
			t.Fatal(err)
		}
		provision(t, conn, planned(t, quick(), bsc))
	}
	wait.For(t, patience, "both letters are there", func() bool { return stored(t, conn, stream.DeadLetters) == 2 })
}
