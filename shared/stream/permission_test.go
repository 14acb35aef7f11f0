package stream_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/natsdev"
	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

var allowedChains = []chain.Config{{Name: "bsc", Family: chain.EVM}, {Name: "eth", Family: chain.EVM}, {Name: "tron", Family: chain.TRON}}

// withUsers is a broker with these users; every password is the user's name, doubled.
func withUsers(t *testing.T, users ...stream.User) (server *natsdev.Server, rewrite func(...stream.User)) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "nats.conf")
	write := func(users []stream.User) {
		text := stream.AccountsConfig(users, func(u stream.User) string { return stream.PasswordText(u.Name + u.Name) })
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(users)
	server, err := natsdev.Start(t.TempDir(), natsdev.Options{ConfigFile: file, MaxStore: 1 << 40})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return server, func(users ...stream.User) {
		t.Helper()
		write(users)
		if err := server.Reload(); err != nil {
			t.Fatal(err)
		}
	}
}

func connectAs(t *testing.T, server *natsdev.Server, user string, report func(error)) *stream.Conn {
	t.Helper()
	conn, err := stream.Connect(within(t, patience), stream.Options{URL: secret.New(as(server, user, user+user)), Service: user, Instance: "1", Report: report})
	if err != nil {
		t.Fatalf("%s: %v", user, err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// The real flows, each under its own user: provisioning twice, a claim, its result, both kinds of dead letter, and the gate's question.
func TestEveryServiceDoesItsWorkAsItsOwnUser(t *testing.T) {
	t.Parallel()
	server, _ := withUsers(t, stream.Users(allowedChains)...)
	plan := planned(t, stream.DefaultSettings(), allowedChains...)
	prov := connectAs(t, server, stream.Provisioner, nil)
	if changes := provision(t, prov, plan); len(changes) == 0 {
		t.Error("nothing was provisioned")
	}
	if changes := provision(t, prov, plan); len(changes) != 0 {
		t.Errorf("provisioned again: %v", changes)
	}
	changed := planned(t, stream.DefaultSettings(), allowedChains...)
	changed.Streams[0].MaxAge *= 2
	changed.Consumers[0].Config.MaxAckPending++
	if changes := provision(t, prov, changed); len(changes) != 2 {
		t.Errorf("changed: %v", changes)
	}
	claimer, writer := connectAs(t, server, stream.Claimer, nil), connectAs(t, server, stream.Writer, nil)
	for _, c := range allowedChains {
		family := string(c.Family)
		fetcher := connectAs(t, server, stream.Fetcher+family, nil)
		for _, lane := range []wire.Lane{wire.Sweep, wire.Fast} {
			for _, id := range []string{"good", "bad"} {
				msg := &nats.Msg{Subject: wire.ClaimSubject(family, c.Name, lane), Header: nats.Header{}, Data: []byte(id)}
				if err := claimer.Publish(within(t, patience), stream.Claims, c.Name+string(lane)+id, msg); err != nil {
					t.Fatal(err)
				}
			}
			consumer := bound(t, claimer, stream.Claims, stream.FetchDurable(family, c.Name, lane))
			wait.For(t, patience, "the gate's question is answered", func() bool {
				info, err := claimer.Info(within(t, patience), consumer)
				return err == nil && info.NumPending == 2
			})
			take := bound(t, fetcher, stream.Claims, stream.FetchDurable(family, c.Name, lane))
			good, bad := nextOf(t, take), nextOf(t, take)
			msg := &nats.Msg{Subject: wire.ResultSubject(family, c.Name), Header: nats.Header{}}
			if err := fetcher.Publish(within(t, patience), stream.Results, c.Name+string(lane), msg); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(good.InProgress(), good.DoubleAck(within(t, patience)), fetcher.DeadLetter(within(t, patience), bad, "bad")); err != nil {
				t.Error(err)
			}
		}
		bound(t, claimer, stream.Results, stream.WriteDurable(family, c.Name))
		take := bound(t, writer, stream.Results, stream.WriteDurable(family, c.Name))
		good, bad := nextOf(t, take), nextOf(t, take)
		if err := errors.Join(good.DoubleAck(within(t, patience)), writer.DeadLetter(within(t, patience), bad, "bad")); err != nil {
			t.Error(err)
		}
		for who, conn := range map[string]*stream.Conn{"claimer": claimer, "fetcher": fetcher, "writer": writer, "provisioner": prov} {
			if err := conn.Healthy(); err != nil {
				t.Errorf("%s: %v", who, err)
			}
		}
	}
	operator := connectAs(t, server, stream.Operator, nil)
	for name, want := range map[string]uint64{stream.Claims: 12, stream.Results: 6, stream.DeadLetters: 9} {
		if got := stored(t, operator, name); got != want {
			t.Errorf("%s has %d messages, want %d", name, got, want)
		}
	}
	letters, err := operator.JS.Stream(within(t, patience), stream.DeadLetters)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := letters.GetMsg(within(t, patience), 1); err != nil {
		t.Errorf("the operator reads a dead letter: %v", err)
	}
	if err := letters.DeleteMsg(within(t, patience), 1); err != nil {
		t.Errorf("the operator drops a dead letter: %v", err)
	}
	replay, err := operator.JS.CreateConsumer(within(t, patience), stream.Results, jetstream.ConsumerConfig{Durable: "replay", AckPolicy: jetstream.AckExplicitPolicy})
	if err != nil {
		t.Fatal(err)
	}
	if err := nextOf(t, replay).DoubleAck(within(t, patience)); err != nil {
		t.Errorf("the operator replays: %v", err)
	}
}

func bound(t *testing.T, conn *stream.Conn, from, durable string) jetstream.Consumer {
	t.Helper()
	consumer, err := conn.Bind(within(t, patience), from, durable)
	if err != nil {
		t.Fatal(err)
	}
	return consumer
}

func nextOf(t *testing.T, from jetstream.Consumer) jetstream.Msg {
	t.Helper()
	msg, err := from.Next(jetstream.FetchMaxWait(patience))
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func TestEachUserIsRefusedWhatItDoesNotNeed(t *testing.T) {
	t.Parallel()
	server, _ := withUsers(t, stream.Users(allowedChains)...)
	provision(t, connectAs(t, server, stream.Provisioner, nil), planned(t, stream.DefaultSettings(), allowedChains...))
	const provisioner, claimer, evm, tron, writer, operator = stream.Provisioner, stream.Claimer, stream.Fetcher + "evm", stream.Fetcher + "tron", stream.Writer, stream.Operator
	services, all := []string{claimer, evm, tron, writer}, []string{provisioner, claimer, evm, tron, writer, operator}
	tests := []struct {
		what      string
		users     []string
		publish   string
		subscribe string
	}{
		{"publish claims", []string{provisioner, evm, tron, writer}, "claims.evm.bsc.sweep", ""},
		{"publish claims of a chain that is not configured", services, "claims.evm.other.sweep", ""},
		{"publish claims of another lane", services, "claims.evm.bsc.mine", ""},
		{"publish results", []string{provisioner, claimer, tron, writer}, "results.evm.bsc", ""},
		{"publish results of the other family", []string{provisioner, claimer, evm, writer}, "results.tron.tron", ""},
		{"publish results of a chain that is not configured", services, "results.evm.other", ""},
		{"publish dead letters of claims", []string{provisioner, claimer, tron, writer}, "dlq.claims.evm.bsc.sweep", ""},
		{"publish dead letters of results", []string{provisioner, claimer, evm, tron}, "dlq.results.evm.bsc", ""},
		{"publish anything else", all, "anything", ""},
		{"forge an advisory", all, "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.CLAIMS.x", ""},
		{"bind to the claims of the other family", []string{evm, writer}, "$JS.API.CONSUMER.INFO.CLAIMS.fetch-tron-tron-sweep", ""},
		{"pull claims", []string{provisioner, claimer, tron, writer}, "$JS.API.CONSUMER.MSG.NEXT.CLAIMS.fetch-evm-bsc-sweep", ""},
		{"pull results", []string{provisioner, claimer, evm, tron}, "$JS.API.CONSUMER.MSG.NEXT.RESULTS.write-evm-bsc", ""},
		{"ack another's claims", []string{provisioner, claimer, tron, writer}, "$JS.ACK.CLAIMS.fetch-evm-bsc-sweep.1.1.1.1.0", ""},
		{"ack another's claims, the new way", []string{provisioner, claimer, tron, writer}, "$JS.ACK.hub.acc.CLAIMS.fetch-evm-bsc-sweep.1.1.1.1.0", ""},
		{"ack results", []string{provisioner, claimer, evm, tron}, "$JS.ACK.RESULTS.write-evm-bsc.1.1.1.1.0", ""},
		{"make a consumer", services, "$JS.API.CONSUMER.CREATE.CLAIMS.mine", ""},
		{"make a durable the old way", append(services, provisioner), "$JS.API.CONSUMER.DURABLE.CREATE.CLAIMS.mine", ""},
		{"delete a consumer", append(services, provisioner), "$JS.API.CONSUMER.DELETE.CLAIMS.fetch-evm-bsc-sweep", ""},
		{"pause a consumer", append(services, provisioner), "$JS.API.CONSUMER.PAUSE.CLAIMS.fetch-evm-bsc-sweep", ""},
		{"move a consumer", services, "$JS.API.CONSUMER.RESET.CLAIMS.fetch-evm-bsc-sweep", ""},
		{"list consumers", services, "$JS.API.CONSUMER.LIST.CLAIMS", ""},
		{"look at a stream", services, "$JS.API.STREAM.INFO.CLAIMS", ""},
		{"make a stream", append(services, operator), "$JS.API.STREAM.CREATE.MINE", ""},
		{"change a stream", append(services, operator), "$JS.API.STREAM.UPDATE.CLAIMS", ""},
		{"purge a stream", all, "$JS.API.STREAM.PURGE.CLAIMS", ""},
		{"delete a stream", all, "$JS.API.STREAM.DELETE.CLAIMS", ""},
		{"delete a claim", all, "$JS.API.STREAM.MSG.DELETE.CLAIMS", ""},
		{"delete a result", all, "$JS.API.STREAM.MSG.DELETE.RESULTS", ""},
		{"delete a dead letter", append(services, provisioner), "$JS.API.STREAM.MSG.DELETE.DLQ", ""},
		{"read a message by number", append(services, provisioner), "$JS.API.STREAM.MSG.GET.RESULTS", ""},
		{"read a message directly", append(services, provisioner), "$JS.API.DIRECT.GET.RESULTS", ""},
		{"take a snapshot", all, "$JS.API.STREAM.SNAPSHOT.RESULTS", ""},
		{"restore a snapshot", all, "$JS.API.STREAM.RESTORE.RESULTS", ""},
		{"move the leader", all, "$JS.API.STREAM.LEADER.STEPDOWN.CLAIMS", ""},
		{"command the server", all, "$SYS.REQ.SERVER.PING", ""},
		{"hear claims", all, "", "claims.>"},
		{"hear results", all, "", "results.>"},
		{"hear dead letters", all, "", "dlq.>"},
		{"hear everything", all, "", ">"},
		{"hear all answers", all, "", "_INBOX.>"},
		{"hear the writer's answers", []string{provisioner, claimer, evm, tron, operator}, "", "_INBOX.writer.>"},
		{"hear the claimer's answers", []string{provisioner, evm, tron, writer, operator}, "", "_INBOX.claimer.>"},
		{"hear the API", all, "", "$JS.API.>"},
		{"hear acks", all, "", "$JS.ACK.>"},
		{"hear the system", all, "", "$SYS.>"},
	}
	cases := 0
	for _, user := range all {
		nc, err := nats.Connect(as(server, user, user+user), nats.CustomInboxPrefix("_INBOX."+user), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		for _, tt := range tests {
			if !contains(tt.users, user) {
				continue
			}
			cases++
			subject, err := tt.publish, error(nil)
			if subject != "" {
				err = nc.PublishRequest(subject, "_INBOX."+user+".x", nil)
			} else {
				subject = tt.subscribe
				_, err = nc.SubscribeSync(subject)
			}
			if err = errors.Join(err, nc.FlushTimeout(patience)); err != nil {
				t.Fatal(err)
			}
			// The refusal comes before the answer to the flush, and names the subject.
			if last := nc.LastError(); !errors.Is(last, nats.ErrPermissionViolation) || !strings.Contains(last.Error(), `"`+subject+`"`) {
				t.Errorf("%s may %s: %v", user, tt.what, last)
			}
		}
	}
	t.Logf("%d refusals", cases)
	if cases < 220 {
		t.Errorf("%d cases", cases)
	}
}

func contains(list []string, name string) bool {
	for _, n := range list {
		if n == name {
			return true
		}
	}
	return false
}

// To the server an empty allow-list allows everything.
func TestAUserWithoutRightsMayDoNothing(t *testing.T) {
	t.Parallel()
	server, _ := withUsers(t, stream.User{Name: "nobody"})
	nc, err := nats.Connect(as(server, "nobody", "nobodynobody"), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	for _, act := range []func() error{func() error { return nc.Publish("x", nil) }, func() error { _, err := nc.SubscribeSync("y"); return err }} {
		before := nc.LastError()
		if err := errors.Join(act(), nc.FlushTimeout(patience)); err != nil {
			t.Fatal(err)
		}
		if after := nc.LastError(); after == nil || errors.Is(after, before) && after.Error() == before.Error() {
			t.Errorf("not refused: %v", after)
		}
	}
	if nc, err := nats.Connect(server.URL(), nats.Timeout(time.Second)); err == nil {
		nc.Close()
		t.Error("a client without a user was let in")
	}
}

func TestAFamilyWithoutChainsHasNoUser(t *testing.T) {
	for _, u := range stream.Users([]chain.Config{bsc}) {
		if u.Name == stream.Fetcher+"tron" {
			t.Errorf("%+v", u)
		}
		if len(u.Publish) == 0 || len(u.Subscribe) == 0 {
			t.Errorf("%s has an empty list: %+v", u.Name, u)
		}
	}
}

// As an operator does it: the server reads its file again, and every connection stays.
func TestARightThatIsTakenAwayIsReportedAndItsMessagesComeOnceItIsBack(t *testing.T) {
	t.Parallel()
	users := stream.Users(allowedChains)
	server, rewrite := withUsers(t, users...)
	prov := connectAs(t, server, stream.Provisioner, nil)
	provision(t, prov, planned(t, stream.DefaultSettings(), allowedChains...))
	reports := make(chan error, 100)
	conn := connectAs(t, server, stream.Claimer, func(err error) { reports <- err })
	conn.HoldDenials(500 * time.Millisecond)
	if err := receive(t, reports, "connected"); err != nil {
		t.Fatal(err)
	}
	publish(t, conn, "before")
	rewrite(without(users, stream.Claimer, subject)...)
	published := make(chan error, 1)
	go func() { published <- conn.Publish(within(t, patience), stream.Claims, "during", message("during")) }()
	if err := receive(t, reports, "the refusal"); !errors.Is(err, nats.ErrPermissionViolation) || !strings.Contains(err.Error(), subject) {
		t.Errorf("reported %v, want the subject", err)
	}
	if err := conn.Healthy(); err == nil || !strings.Contains(err.Error(), subject) {
		t.Errorf("healthy: %v", err)
	}
	rewrite(users...)
	if err := receive(t, published, "the publish goes through"); err != nil {
		t.Error(err)
	}
	for receive(t, reports, "all is well again") != nil {
	}
	if err := conn.Healthy(); err != nil {
		t.Error(err)
	}
	if got := stored(t, prov, stream.Claims); got != 2 {
		t.Errorf("%d claims, want each once", got)
	}
}

func TestAUserThatIsNoLongerTakenIsTheReasonThatIsReported(t *testing.T) {
	t.Parallel()
	server, rewrite := withUsers(t, stream.Users(allowedChains)...)
	reports := make(chan error, 100)
	connectAs(t, server, stream.Claimer, func(err error) { reports <- err })
	rewrite(stream.User{Name: "another"})
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	for err := receive(t, reports, "the refusal"); err == nil || !errors.Is(err, nats.ErrAuthorization); err = receive(t, reports, "the refusal") {
	}
}

// without gives the users, one of them without the right to publish to a subject.
func without(users []stream.User, name, subject string) []stream.User {
	var list []stream.User
	for _, u := range users {
		if u.Name == name {
			var kept []string
			for _, s := range u.Publish {
				if s != subject {
					kept = append(kept, s)
				}
			}
			u.Publish = kept
		}
		list = append(list, u)
	}
	return list
}
