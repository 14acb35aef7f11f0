package writer

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/natsdev"
	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/chain"
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

// line is a bed with a broker, and the applier of its first chain.
type line struct {
	*bed
	app      *applier
	config   Config
	registry *prometheus.Registry
	test     *stream.Conn // may do everything
	consumer jetstream.Consumer
	letter   string // Msg-Id of the last message that was published
}

// ackWait is when an unanswered result comes again: soon, and long against what answering one takes.
const ackWait = time.Second

// newLine gives a line whose applier has been prepared. change may touch the broker's settings.
func newLine(t testing.TB, change func(*stream.Settings)) *line {
	t.Helper()
	l := &line{bed: newBed(t), registry: prometheus.NewRegistry()}
	chains := []chain.Config{
		{Name: "testnet", Family: chain.EVM, BlockTime: time.Second, HeightSlack: 50},
		{Name: "othernet", Family: chain.EVM, BlockTime: time.Second, HeightSlack: 50},
	}
	server := guard(t, chains)
	l.config = Config{Database: secret.New(l.url), Chains: chains, Interval: interval,
		Broker: stream.Options{URL: secret.New(server.As("writer", "writer")), Service: "writer", Instance: "a"}}
	conn, err := stream.Connect(t.Context(), l.config.Broker)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	if l.test, err = stream.Connect(t.Context(), stream.Options{URL: secret.New(server.URL()), Service: "test"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.test.Close)
	settings := stream.DefaultSettings()
	settings.ResultAckWait = ackWait
	if change != nil {
		change(&settings)
	}
	plan, err := stream.NewPlan(chains, settings)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Provision(t.Context(), l.test.JS); err != nil {
		t.Fatal(err)
	}
	m, err := newMetrics(l.registry)
	if err != nil {
		t.Fatal(err)
	}
	l.app = newApplier(chains[0], interval, l.pool, conn, l.process(), m)
	if !l.app.prepare(t.Context()) {
		t.Fatal("the chain was not found")
	}
	if l.consumer, err = conn.Bind(t.Context(), stream.Results, stream.WriteDurable("evm", "testnet")); err != nil {
		t.Fatal(err)
	}
	return l
}

// guard is a broker on which every program has its own user, as in production; its password is its name. Who gives none is the test.
func guard(t testing.TB, chains []chain.Config) *natsdev.Server {
	t.Helper()
	users := append(stream.Users(chains), stream.User{Name: "test", Publish: []string{">"}, Subscribe: []string{">"}})
	return natsdev.RunWith(t, stream.AccountsConfig(users, func(u stream.User) string { return stream.PasswordText(u.Name) })+"no_auth_user: test\n")
}

// process is one that nobody watches.
func (l *line) process() service.Process {
	return service.Process{Name: "writer", Version: "test", Instance: "a", Log: zerolog.Nop(), Metrics: l.registry, Health: service.NewHealth(),
		Scrub: secret.NewScrubber(secret.New("CANARY-secret"))}
}

// result gives the message that carries the rows, all of one claim and height.
func result(rows ...Row) *wire.Result {
	r := &wire.Result{Claim: rows[0].Claim, Family: "evm", Chain: "testnet", Endpoint: "node-a", Route: "batch", Height: rows[0].Height, Tip: rows[0].Height,
		ObservedAt: rows[0].ObservedAt}
	for i, row := range rows {
		r.Assets, r.AssetOf = append(r.Assets, row.Asset), append(r.AssetOf, i)
		r.IDs, r.Wallets = append(r.IDs, row.ID), append(r.Wallets, row.Wallet)
		r.Epochs, r.Raw = append(r.Epochs, row.Epoch), append(r.Raw, row.Raw)
		if class := map[Kind]wire.Class{Warned: wire.ClassWarning, RowFault: wire.ClassRow, EndpointFault: wire.ClassEndpoint}[row.Kind]; class != "" {
			code, message, _ := strings.Cut(row.Error, ": ")
			r.Errors = append(r.Errors, wire.RowError{Row: i, Class: class, Code: code, Message: message})
		}
	}
	return r
}

// send publishes results as fetchers do, each in a message of its own.
func (l *line) send(results ...*wire.Result) {
	l.Helper()
	for _, r := range results {
		data, err := json.Marshal(r)
		if err != nil {
			l.Fatal(err)
		}
		l.sendRaw(wire.SchemaResults, data)
	}
}

func (l *line) sendRaw(schema string, data []byte) {
	l.Helper()
	msg := &nats.Msg{Subject: wire.ResultSubject("evm", "testnet"), Header: nats.Header{}, Data: data}
	msg.Header.Set(wire.HeaderSchema, schema)
	l.letter = uuid.NewString()
	if err := l.test.Publish(l.Context(), stream.Results, l.letter, msg); err != nil {
		l.Fatal(err)
	}
}

// take pulls n messages, redelivered ones too, as long as that takes.
func (l *line) take(n int) []jetstream.Msg {
	l.Helper()
	batch, err := l.consumer.Fetch(n, jetstream.FetchMaxWait(10*time.Second))
	if err != nil {
		l.Fatal(err)
	}
	var messages []jetstream.Msg
	for msg := range batch.Messages() {
		messages = append(messages, msg)
	}
	if len(messages) != n {
		l.Fatalf("%d messages, want %d: %v", len(messages), n, batch.Error())
	}
	return messages
}

// deliver sends results and has them applied as one batch.
func (l *line) deliver(results ...*wire.Result) {
	l.Helper()
	l.send(results...)
	l.app.handle(l.Context(), l.take(len(results)))
}

// unsettled is how many messages the broker waits for, delivered or not.
func (l *line) unsettled() int {
	l.Helper()
	info, err := l.consumer.Info(l.Context())
	if err != nil {
		l.Fatal(err)
	}
	return int(info.NumPending) + info.NumAckPending
}

// settled waits until the broker waits for nothing: it takes note of an ack some time after it was sent.
func (l *line) settled() {
	l.Helper()
	wait.For(l, 5*time.Second, "every message is settled", func() bool { return l.unsettled() == 0 })
}

// letters are the dead letters so far, in their order.
func (l *line) letters() []*jetstream.RawStreamMsg {
	l.Helper()
	s, err := l.test.JS.Stream(l.Context(), stream.DeadLetters)
	if err != nil {
		l.Fatal(err)
	}
	var list []*jetstream.RawStreamMsg
	for seq := uint64(1); seq <= s.CachedInfo().State.LastSeq; seq++ {
		msg, err := s.GetMsg(l.Context(), seq)
		if err != nil {
			l.Fatal(err)
		}
		list = append(list, msg)
	}
	return list
}

// metric is the sum of a counter or gauge over the series that carry all the label values.
func (l *line) metric(name string, labels ...string) float64 {
	l.Helper()
	families, err := l.registry.Gather()
	if err != nil {
		l.Fatal(err)
	}
	total := 0.0
	for _, family := range families {
		if family.GetName() != "balsync_writer_"+name {
			continue
		}
	series:
		for _, m := range family.GetMetric() {
			for _, want := range labels {
				found := false
				for _, label := range m.GetLabel() {
					found = found || label.GetValue() == want
				}
				if !found {
					continue series
				}
			}
			total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return total
}

// fate is the metric of the rows that met it.
func (l *line) fate(f Fate) int { return int(l.metric("rows_total", "testnet", string(f))) }

// answer is a message whose answer the test sees, or keeps from the broker.
type answered struct {
	jetstream.Msg
	ack func() error
}

func (m answered) Ack() error { return m.ack() }

// with gives the messages with another Ack.
func with(messages []jetstream.Msg, ack func(jetstream.Msg) error) []jetstream.Msg {
	list := make([]jetstream.Msg, len(messages))
	for i, msg := range messages {
		list[i] = answered{msg, func() error { return ack(msg) }}
	}
	return list
}

// background runs f and waits for it at cleanup, or when the returned function is called.
func (l *line) background(f func(ctx context.Context)) (wait func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); f(ctx) }()
	l.Cleanup(func() { cancel(); <-done })
	return func() { <-done }
}
