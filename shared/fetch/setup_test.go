package fetch_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/natsdev"
	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// patience is far above what anything here takes: only a failing test waits for so long. ackWait is when an unanswered claim comes
// again.
const (
	patience = 20 * time.Second
	ackWait  = 400 * time.Millisecond
)

var (
	bsc    = chain.Config{Name: "bsc", Family: chain.EVM}
	config = fetch.Config{SweepSlots: 2, FastSlots: 1, Patience: 10 * time.Second}
)

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// broker is a server that holds the plan for bsc, and the test's own connection to it.
type broker struct {
	*stream.Conn
	t      *testing.T
	server *natsdev.Server
	plan   stream.Plan
	sent   uint64 // claims of the sweep
}

func newBroker(t *testing.T) *broker {
	t.Helper()
	return newBrokerWith(t, ackWait)
}

// newBrokerWith is newBroker with an AckWait of the test's own.
func newBrokerWith(t *testing.T, ackWait time.Duration) *broker {
	t.Helper()
	settings := stream.DefaultSettings()
	settings.ClaimAckWait, settings.ResultAckWait = ackWait, ackWait
	plan, err := stream.NewPlan([]chain.Config{bsc}, settings)
	if err != nil {
		t.Fatal(err)
	}
	b := &broker{t: t, server: guard(t, []chain.Config{bsc}), plan: plan}
	b.Conn, err = stream.Connect(within(t), stream.Options{URL: secret.New(b.server.URL()), Service: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	b.provision()
	return b
}

// guard is a broker on which every program has its own user, as in production; its password is its name. Who gives none is the test.
func guard(t testing.TB, chains []chain.Config) *natsdev.Server {
	t.Helper()
	users := append(stream.Users(chains), stream.User{Name: "test", Publish: []string{">"}, Subscribe: []string{">"}})
	return natsdev.RunWith(t, stream.AccountsConfig(users, func(u stream.User) string { return stream.PasswordText(u.Name) })+"no_auth_user: test\n")
}

// connect is a fetcher's connection.
func connect(t *testing.T, url string) *stream.Conn {
	t.Helper()
	url = strings.Replace(url, "nats://", "nats://fetcher-evm:fetcher-evm@", 1)
	conn, err := stream.Connect(within(t), stream.Options{URL: secret.New(url), Service: "fetcher-evm", Instance: "1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

func (b *broker) provision() {
	b.t.Helper()
	if _, err := b.plan.Provision(within(b.t), b.JS); err != nil {
		b.t.Fatal(err)
	}
}

// newProcess is what a fetcher runs in; two in one test are two instances.
func newProcess(scrub *secret.Scrubber) service.Process {
	return service.Process{Version: "v1", Instance: "i", Log: zerolog.Nop(), Metrics: prometheus.NewRegistry(), Health: service.NewHealth(), Scrub: scrub}.As("fetcher-evm")
}

// instance is a fetcher that runs.
type instance struct {
	stop func() // ends intake and waits; runs at cleanup too
	die  func() // ends work in hand too, as the end of the grace period does
}

func (b *broker) start(conn *stream.Conn, config fetch.Config, reader fetch.Reader, process service.Process) instance {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	work, cut := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	go func() { done <- fetch.RunWith(ctx, work, config, bsc, conn, reader, process) }()
	stop := sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				b.t.Error(err)
			}
		case <-time.After(patience):
			b.t.Error("the loop does not end")
		}
	})
	i := instance{stop: stop, die: func() { cancel(); cut(); stop() }}
	b.t.Cleanup(i.die)
	return i
}

// run is a fetcher on a connection of its own.
func (b *broker) run(reader fetch.Reader) instance {
	b.t.Helper()
	return b.start(connect(b.t, b.server.URL()), config, reader, newProcess(nil))
}

// claimOf is a claim of n rows of one token.
func claimOf(name string, n int) *wire.Claim {
	c := &wire.Claim{Name: name, Family: "evm", Chain: "bsc", Lane: wire.Sweep, MaxHeight: 41,
		Assets: []wire.Asset{{ID: uuid.New(), Contract: "0xtoken", Decimals: 6}}}
	for i := range n {
		c.IDs, c.Wallets = append(c.IDs, uuid.New()), append(c.Wallets, uuid.New())
		c.Addresses, c.AssetOf, c.Epochs = append(c.Addresses, "0x"+strconv.Itoa(i)), append(c.AssetOf, 0), append(c.Epochs, int32(i%3))
	}
	return c
}

// send publishes a claim with so much of its lease left.
func (b *broker) send(c *wire.Claim, left time.Duration) {
	b.t.Helper()
	data, err := c.Encode()
	if err != nil {
		b.t.Fatal(err)
	}
	b.sendRaw(c.Name, c.Lane, wire.SchemaClaims, data, left)
}

func (b *broker) sendRaw(id string, lane wire.Lane, schema string, data []byte, left time.Duration) {
	b.t.Helper()
	msg := &nats.Msg{Subject: wire.ClaimSubject("evm", "bsc", lane), Data: data, Header: nats.Header{}}
	msg.Header.Set(wire.HeaderSchema, schema)
	msg.Header.Set(wire.HeaderLeaseLeft, strconv.FormatInt(left.Milliseconds(), 10))
	if err := b.Publish(within(b.t), stream.Claims, id, msg); err != nil {
		b.t.Fatal(err)
	}
	if lane == wire.Sweep {
		b.sent++
	}
}

// consumer is the state of a lane's consumer.
func (b *broker) consumer(lane wire.Lane) *jetstream.ConsumerInfo {
	b.t.Helper()
	consumer, err := b.Bind(within(b.t), stream.Claims, stream.FetchDurable("evm", "bsc", lane))
	if err != nil {
		b.t.Fatal(err)
	}
	return consumer.CachedInfo()
}

// settled waits until every claim of the sweep was delivered and none is pending or in hand. The broker counts a claim as pending a moment
// after it has stored it.
func (b *broker) settled() {
	b.t.Helper()
	wait.For(b.t, patience, "every claim is settled", func() bool {
		i := b.consumer(wire.Sweep)
		return i.Delivered.Consumer >= b.sent && i.NumPending == 0 && i.NumAckPending == 0
	})
}

// lose takes the next claim of the sweep and dies with it.
func (b *broker) lose() {
	b.t.Helper()
	b.take()
}

// take gives a claim as a reader gets it.
func (b *broker) take() jetstream.Msg {
	b.t.Helper()
	consumer, err := b.Bind(within(b.t), stream.Claims, stream.FetchDurable("evm", "bsc", wire.Sweep))
	if err != nil {
		b.t.Fatal(err)
	}
	msg, err := consumer.Next(jetstream.FetchMaxWait(patience))
	if err != nil {
		b.t.Fatal(err)
	}
	return msg
}

// stored gives the messages of a stream, oldest first.
func (b *broker) stored(name string) []*jetstream.RawStreamMsg {
	b.t.Helper()
	s, err := b.JS.Stream(within(b.t), name)
	if err != nil {
		b.t.Fatal(err)
	}
	var all []*jetstream.RawStreamMsg
	for sequence := range s.CachedInfo().State.LastSeq {
		msg, err := s.GetMsg(within(b.t), sequence+1)
		if err != nil {
			b.t.Fatal(err)
		}
		all = append(all, msg)
	}
	return all
}

// answer is what a result says of a row: its value, or class, code and message of its error, with the message's Msg-Id.
type answer struct {
	raw, code, message, id string
	class                  wire.Class
	height                 int64
}

// answers gives what the results say of each row, oldest first.
func (b *broker) answers() map[uuid.UUID][]answer {
	b.t.Helper()
	all := map[uuid.UUID][]answer{}
	for _, msg := range b.stored(stream.Results) {
		r, err := wire.DecodeResult(msg.Header.Get(wire.HeaderSchema), msg.Data)
		if err != nil {
			b.t.Fatal(err)
		}
		errs := map[int]wire.RowError{}
		for _, e := range r.Errors {
			errs[e.Row] = e
		}
		for i, id := range r.IDs {
			all[id] = append(all[id], answer{raw: r.Raw[i], class: errs[i].Class, code: errs[i].Code, message: errs[i].Message, height: r.Height, id: msg.Header.Get(nats.MsgIdHdr)})
		}
	}
	return all
}

// answered waits until the claim is settled and every row of it has one answer, and gives them in the claim's order.
func (b *broker) answered(c *wire.Claim) []answer {
	b.t.Helper()
	b.settled()
	all := b.answers()
	var list []answer
	for i, id := range c.IDs {
		if len(all[id]) != 1 {
			b.t.Fatalf("row %d has answers %+v, want one", i, all[id])
		}
		list = append(list, all[id][0])
	}
	return list
}

// counts tells how many of a list have each value or error code.
func counts(list []answer) string {
	n := map[string]int{}
	for _, a := range list {
		n[a.raw+a.code]++
	}
	return strings.TrimPrefix(fmt.Sprint(n), "map")
}
