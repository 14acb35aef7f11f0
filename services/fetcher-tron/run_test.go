package fetchertron

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/natsdev"
	"github.com/balance-sync/balance-sync/devkit/trondev"
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
)

// broker is a JetStream with the plan for the chain under test.
func broker(t *testing.T, c chain.Config) (*natsdev.Server, *stream.Conn) {
	t.Helper()
	server := natsdev.Run(t)
	conn, err := stream.Connect(t.Context(), stream.Options{URL: secret.New(server.URL()), Service: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	settings := stream.DefaultSettings()
	settings.ClaimBytes, settings.ResultBytes, settings.LetterBytes = 64<<20, 64<<20, 16<<20
	plan, err := stream.NewPlan([]chain.Config{c}, settings)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Provision(t.Context(), conn.JS); err != nil {
		t.Fatal(err)
	}
	return server, conn
}

// publish sends rows as a claim that has left of its lease.
func publish(t *testing.T, conn *stream.Conn, rows []fetch.Row, left string) *wire.Claim {
	t.Helper()
	claim := &wire.Claim{Name: "balsync:test:" + uuid.NewString(), Family: "tron", Chain: "dev", Lane: wire.Sweep}
	for i, row := range rows {
		claim.Assets = append(claim.Assets, row.Asset)
		claim.IDs, claim.Wallets = append(claim.IDs, row.ID), append(claim.Wallets, row.Wallet)
		claim.Addresses, claim.AssetOf, claim.Epochs = append(claim.Addresses, row.Address), append(claim.AssetOf, i), append(claim.Epochs, 3)
	}
	data, err := claim.Encode()
	if err != nil {
		t.Fatal(err)
	}
	msg := &nats.Msg{Subject: wire.ClaimSubject("tron", "dev", wire.Sweep), Data: data, Header: nats.Header{}}
	msg.Header.Set(wire.HeaderSchema, wire.SchemaClaims)
	msg.Header.Set(wire.HeaderLeaseLeft, left)
	if err := conn.Publish(t.Context(), stream.Claims, claim.Name, msg); err != nil {
		t.Fatal(err)
	}
	return claim
}

// results waits until each row of the claims has an answer, and gives the messages decoded.
func results(t *testing.T, conn *stream.Conn, rows int) []*wire.Result {
	t.Helper()
	consumer, err := conn.JS.OrderedConsumer(t.Context(), stream.Results, jetstream.OrderedConsumerConfig{FilterSubjects: []string{"results.tron.dev"}})
	if err != nil {
		t.Fatal(err)
	}
	var list []*wire.Result
	for got := 0; got < rows; {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		msg, err := consumer.Next(jetstream.FetchContext(ctx))
		cancel()
		if err != nil {
			t.Fatalf("%d of %d rows: %v", got, rows, err)
		}
		result, err := wire.DecodeResult(msg.Headers().Get(wire.HeaderSchema), msg.Data())
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, result)
		got += len(result.IDs)
	}
	return list
}

func TestClaimsBecomeResultsThatAreTrue(t *testing.T) {
	node := newScript(t)
	c := chainOf(node)
	server, conn := broker(t, c)
	rows := append(goodRows(20), rowOf(token(holder(1).String()), holder(1).String()), rowOf(native(), "nonsense"))
	claim := publish(t, conn, rows, "60000")
	config := setup()
	config.Chains, config.NATS = []chain.Config{c}, stream.Options{URL: secret.New(server.URL()), Service: "fetcher-tron"}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var log bytes.Buffer
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, config, newProcess(&log)) }()

	at := map[uuid.UUID]fetch.Row{}
	for _, row := range rows {
		at[row.ID] = row
	}
	values, errors := 0, 0
	for _, result := range results(t, conn, len(rows)) {
		failed := map[int]wire.RowError{}
		for _, e := range result.Errors {
			failed[e.Row] = e
		}
		for i, id := range result.IDs {
			row := at[id]
			if result.Claim != claim.Name || result.Wallets[i] != row.Wallet || result.Assets[result.AssetOf[i]] != row.Asset || result.Epochs[i] != 3 {
				t.Fatalf("row %v came back changed: %+v", id, result)
			}
			if e, bad := failed[i]; bad {
				errors++
				if e.Class != wire.ClassRow || result.Height != 0 {
					t.Errorf("%+v at height %d", e, result.Height)
				}
				continue
			}
			values++
			if want := node.solid.truth(t, row); result.Raw[i] != want || result.Height != firstBlock-2 {
				t.Errorf("%s at %d, the state has %s", result.Raw[i], result.Height, want)
			}
		}
	}
	if values != 60 || errors != 2 {
		t.Errorf("%d values, %d errors", values, errors)
	}
	wait.For(t, 5*time.Second, "the claim is acked", func() bool {
		consumer, err := conn.JS.Consumer(t.Context(), stream.Claims, stream.FetchDurable("tron", "dev", wire.Sweep))
		if err != nil {
			t.Fatal(err)
		}
		return consumer.CachedInfo().NumAckPending == 0 && consumer.CachedInfo().NumPending == 0
	})

	// A claim whose lease is over is dropped before any call is spent on it.
	before := node.requests.Load()
	publish(t, conn, rows, "0")
	last := publish(t, conn, rows[:1], "60000")
	for _, result := range results(t, conn, len(rows)+1) {
		if result.Claim != claim.Name && result.Claim != last.Name {
			t.Errorf("an expired claim was answered: %s", result.Claim)
		}
	}
	if cost := node.requests.Load() - before; cost > 8 {
		t.Errorf("%d requests for a claim of one row", cost)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v\n%s", err, log.String())
	}
}

func TestAClaimOfAThousandRowsIsReadInBulk(t *testing.T) {
	node := start(t, trondev.Config{Wallets: 500, Churn: 100})
	c := chainAt(node, node.URL())
	server, conn := broker(t, c)
	rows := append(tokenRows(node, node.Tokens()[0].Address, 500), tokenRows(node, node.Tokens()[1].Address, 490)...)
	bad := rowOf(token(node.Token("reverts").Address), node.Wallet(1))
	rows = append(rows, bad)
	publish(t, conn, rows, "60000")
	config := exact()
	config.Chains, config.NATS = []chain.Config{c}, stream.Options{URL: secret.New(server.URL()), Service: "fetcher-tron"}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var log bytes.Buffer
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, config, newProcess(&log)) }()
	at := map[uuid.UUID]fetch.Row{}
	for _, row := range rows {
		at[row.ID] = row
	}
	for _, result := range results(t, conn, len(rows)) {
		for _, e := range result.Errors {
			if result.IDs[e.Row] != bad.ID || e.Code != wire.CodeReverted || e.Class != wire.ClassRow {
				t.Errorf("%+v", e)
			}
		}
		for i, id := range result.IDs {
			if id == bad.ID {
				continue
			}
			truth, err := node.Balance(result.Height, at[id].Asset.Contract, at[id].Address)
			if err != nil || truth.String() != result.Raw[i] || result.Route != "scanner-revert" || len(result.Parent) != 64 {
				t.Fatalf("%s by %s at %d, the ledger has %v (%v)", result.Raw[i], result.Route, result.Height, truth, err)
			}
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v\n%s", err, log.String())
	}
}

func TestLoadReportsEveryFaultAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chains.yaml")
	text := "chains: [{name: tron, family: tron, genesis: " + strings.Repeat("0", 64) + ", block_time: 3s, multicall: T" + strings.Repeat("1", 33) + ", endpoints: [{name: a, url: \"${TRON_URL}\"}]}]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	load := func(values map[string]string) (Config, error) {
		env := service.NewEnv(func(name string) (string, bool) { value, ok := values[name]; return value, ok })
		return Load(env), env.Err()
	}
	_, err := load(map[string]string{"BALSYNC_CHAINS": path, "BALSYNC_CHAIN": "tron,nile", "TRON_URL": "https://h/" + canary, "BALSYNC_TRON_CALLS": "0", "BALSYNC_RPC_TIMEOUT": "soon", "BALSYNC_TRON_SLACK": "-1", "BALSYNC_TRON_HEAD_AGE": "1s"})
	for _, want := range []string{`"nile"`, "multicall", "grpcs", "BALSYNC_TRON_CALLS", "BALSYNC_RPC_TIMEOUT", "BALSYNC_TRON_SLACK", "BALSYNC_TRON_HEAD_AGE", "NATS_URL"} {
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), canary) {
			t.Errorf("the faults do not name %s:\n%v", want, err)
		}
	}
	if err := os.WriteFile(path, []byte(strings.Replace(text, "T"+strings.Repeat("1", 33), multicallAt, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := load(map[string]string{"BALSYNC_CHAINS": path, "TRON_URL": "grpc://127.0.0.1:1", "NATS_URL": "nats://127.0.0.1:1"})
	if err != nil || len(config.Chains) != 1 || config.Calls != 8 || config.Weight != 1000 || config.Slack != 2 || config.HeadAge != 3*time.Minute {
		t.Errorf("%+v, %v", config, err)
	}
}
