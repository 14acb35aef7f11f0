package fetch_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/fault"
	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/uuid"
)

func TestRowsThatAreDoneDoNotWaitForThoseThatAreTriedAgain(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	release := make(chan struct{})
	r := &reader{}
	r.read = func(row fetch.Row, try int) fetch.Outcome {
		if row.Address == "0x1" && try == 1 {
			return fetch.EndpointError(wire.CodeLagging, "not there yet")
		}
		if row.Address == "0x1" {
			<-release
		}
		return seven(row, try)
	}
	b.run(r)
	c := claimOf("balsync:h:1", 3)
	b.send(c, time.Minute)
	wait.For(t, patience, "two rows are answered while the third is read again", func() bool { return len(b.answers()) == 2 })
	close(release)
	if got := counts(b.answered(c)); got != "[7:3]" {
		t.Errorf("%s", got)
	}
	if calls := r.called(); len(calls) != 2 || calls[0] != 3 || calls[1] != 1 {
		t.Errorf("calls of %v rows, want 3 and then the one that failed", calls)
	}
}

func TestRowsThatNodesFailAreAnsweredWhenPatienceEnds(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	r := &reader{read: func(fetch.Row, int) fetch.Outcome { return fetch.EndpointError(wire.CodeUnreachable, "down") }}
	short := config
	short.Patience = 500 * time.Millisecond
	b.start(connect(t, b.server.URL()), short, r, newProcess(nil))
	c := claimOf("balsync:h:1", 4)
	b.send(c, time.Minute)
	for _, a := range b.answered(c) {
		if a.class != wire.ClassEndpoint || a.code != wire.CodeUnreachable || a.raw != "" || a.height != 0 {
			t.Errorf("%+v", a)
		}
	}
	if tries := len(r.called()); tries < 2 || tries > 10 {
		t.Errorf("tried %d times in half a second", tries)
	}
}

func TestAPanicIsTheErrorOfItsRowAlone(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.run(readFunc(func(_ context.Context, rows []fetch.Row, _ int64) []fetch.Outcome {
		outcomes := make([]fetch.Outcome, len(rows))
		for i, row := range rows {
			if row.Address == "0x41" {
				panic("poison")
			}
			outcomes[i] = seven(row, 1)
		}
		return outcomes
	}))
	c := claimOf("balsync:h:1", 60)
	b.send(c, time.Minute)
	for i, a := range b.answered(c) {
		if i == 41 && (a.class != wire.ClassRow || a.code != wire.CodeInternal) || i != 41 && a.raw != "7" {
			t.Errorf("row %d: %+v", i, a)
		}
	}
}

func TestAReaderThatForgetsRowsIsNotBelieved(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.run(readFunc(func(_ context.Context, rows []fetch.Row, _ int64) []fetch.Outcome {
		outcomes := make([]fetch.Outcome, 0, len(rows))
		for _, row := range rows {
			if row.Address != "0x2" {
				outcomes = append(outcomes, seven(row, 1))
			}
		}
		return outcomes
	}))
	c := claimOf("balsync:h:1", 5)
	b.send(c, time.Minute)
	if got := counts(b.answered(c)); got != "[7:4 internal:1]" {
		t.Errorf("%s: a value may have gone to its neighbour", got)
	}
}

func TestAValueWithoutProofNeverLeaves(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	at := func(endpoint string, height int64) *fetch.Proof {
		return &fetch.Proof{Endpoint: endpoint, Height: height, ObservedAt: proof.ObservedAt}
	}
	bad := []fetch.Outcome{
		{Raw: "7"}, {Raw: "7", Proof: at("node-a", 0)}, {Raw: "7", Proof: at("", 5)}, {Raw: "7", Proof: at("node-a", -5)},
		{Raw: "07", Proof: proof}, {Raw: "-7", Proof: proof}, {Raw: "0x7", Proof: proof}, {Raw: strings.Repeat("9", 78), Proof: proof}, {},
		{Raw: "7", Proof: proof, Err: &fetch.Error{Class: wire.ClassRow, Code: wire.CodeReverted}},
	}
	short := config
	short.Patience = 300 * time.Millisecond
	b.start(connect(t, b.server.URL()), short, &reader{read: func(row fetch.Row, _ int) fetch.Outcome { return bad[row.Address[2]-'0'] }}, newProcess(nil))
	c := claimOf("balsync:h:1", len(bad))
	b.send(c, time.Minute)
	for i, a := range b.answered(c) {
		if a.raw != "" || a.code == "" {
			t.Errorf("outcome %d left as %+v", i, a)
		}
	}
}

func TestAWarningKeepsItsValue(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.run(&reader{read: func(fetch.Row, int) fetch.Outcome {
		return fetch.Outcome{Raw: "7", Proof: proof, Err: &fetch.Error{Class: wire.ClassWarning, Code: "decimals_mismatch"}}
	}})
	c := claimOf("balsync:h:1", 1)
	b.send(c, time.Minute)
	if a := b.answered(c)[0]; a.raw != "7" || a.class != wire.ClassWarning || a.height != 42 {
		t.Errorf("%+v", a)
	}
}

func TestNodeTextIsScrubbedThenCut(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	const key = "CANARY0123456789"
	text := strings.Repeat("x", wire.MaxErrorText-8) + key + "\x00\xff" // a cut before the scrub would leave half of the key
	b.start(connect(t, b.server.URL()), config, &reader{read: func(fetch.Row, int) fetch.Outcome { return fetch.RowError(wire.CodeReverted, text) }},
		newProcess(secret.NewScrubber(secret.New(key))))
	c := claimOf("balsync:h:1", 1)
	b.send(c, time.Minute)
	a := b.answered(c)[0]
	if strings.Contains(a.message, "CANARY") || strings.ContainsRune(a.message, 0) || len([]rune(a.message)) > wire.MaxErrorText {
		t.Errorf("%q", a.message)
	}
}

func TestTheLargestClaimOfTheLongestErrorsFits(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.run(&reader{read: func(fetch.Row, int) fetch.Outcome {
		return fetch.RowError(wire.CodeReverted, strings.Repeat("€\"", 500))
	}})
	c := claimOf("balsync:h:1", wire.MaxRows)
	b.send(c, time.Minute)
	for i, a := range b.answered(c) {
		if a.code != wire.CodeReverted {
			t.Fatalf("row %d: %+v", i, a)
		}
	}
	if parts := len(b.stored(stream.Results)); parts < 2 {
		t.Errorf("%d parts", parts)
	}
}

func TestReadingsOfTwoBlocksAreTwoResults(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	other := &fetch.Proof{Endpoint: "node-b", Route: "single", Height: 50, ObservedAt: proof.ObservedAt}
	b.run(&reader{read: func(row fetch.Row, _ int) fetch.Outcome {
		switch row.Address {
		case "0x0":
			return fetch.Outcome{Raw: "1", Proof: proof}
		case "0x1":
			return fetch.Outcome{Raw: "2", Proof: other}
		}
		return fetch.RowError(wire.CodeReverted, "")
	}})
	c := claimOf("balsync:h:1", 3)
	b.send(c, time.Minute)
	if a := b.answered(c); a[0].height != 42 || a[1].height != 50 || a[2].height != 0 {
		t.Errorf("%+v", a)
	}
}

// The result was stored and only the broker's word of it was lost: it must not be stored twice, and the claim must be acked.
func TestAResultWhoseAnswerIsLostIsStoredOnce(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	proxy := fault.NewProxy(t, strings.TrimPrefix(b.server.URL(), "nats://"))
	g := newGated()
	b.start(connect(t, "nats://"+proxy.Addr()), config, g, newProcess(nil))
	c := claimOf("balsync:h:1", 2)
	b.send(c, time.Minute)
	<-g.entered
	proxy.Deafen()
	g.gate <- struct{}{}
	wait.For(t, patience, "the result is stored", func() bool { return len(b.stored(stream.Results)) > 0 })
	g.gate <- struct{}{} // for a delivery that the lost heartbeats may have caused
	proxy.Cut()
	b.settled()
	seen := map[string]bool{}
	for _, msg := range b.stored(stream.Results) {
		if id := msg.Header.Get("Nats-Msg-Id"); seen[id] {
			t.Errorf("%s is stored twice", id)
		} else {
			seen[id] = true
		}
	}
}

func TestAStopFinishesWhatIsInHandAndGivesBackTheRest(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	g := newGated()
	one := config
	one.SweepSlots = 1
	i := b.start(connect(t, b.server.URL()), one, g, newProcess(nil))
	first, second := claimOf("balsync:h:1", 2), claimOf("balsync:h:2", 2)
	b.send(first, time.Minute)
	<-g.entered
	b.send(second, time.Minute)
	stopped := make(chan struct{})
	go func() { i.stop(); close(stopped) }()
	g.gate <- struct{}{}
	<-stopped
	if got := b.answers(); len(got) != 2 || len(got[first.IDs[0]]) != 1 {
		t.Errorf("%+v", got)
	}
	b.run(&reader{read: seven}) // another instance
	b.answered(second)
}

func TestAClaimThatIsCutOffGoesToAnotherInstance(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	g := newGated()
	i := b.start(connect(t, b.server.URL()), config, g, newProcess(nil))
	c := claimOf("balsync:h:1", 30)
	b.send(c, time.Minute)
	<-g.entered
	i.die()
	if got := b.answers(); len(got) != 0 {
		t.Errorf("answered with %+v while dying", got)
	}
	b.run(&reader{read: seven})
	for _, a := range b.answered(c) {
		if a.raw != "7" || !strings.HasPrefix(a.id, c.Name+":2:") {
			t.Errorf("%+v", a)
		}
	}
}

func TestAPoisonMessageCostsNobodyElse(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.run(&reader{read: seven})
	var claims []*wire.Claim
	for n := range 20 {
		b.sendRaw(uuid.NewString(), wire.Sweep, wire.SchemaClaims, []byte("{garbage"), time.Minute)
		c := claimOf("balsync:h:"+uuid.NewString(), 1+n%3)
		b.send(c, time.Minute)
		claims = append(claims, c)
	}
	for _, c := range claims {
		b.answered(c)
	}
	if letters := len(b.stored(stream.DeadLetters)); letters != 20 {
		t.Errorf("%d dead letters, want 20", letters)
	}
}
