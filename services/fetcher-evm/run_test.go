package fetcherevm

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
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
	claim := &wire.Claim{Name: "balsync:test:" + uuid.NewString(), Family: "evm", Chain: "dev", Lane: wire.Sweep}
	for i, row := range rows {
		claim.Assets = append(claim.Assets, row.Asset)
		claim.IDs, claim.Wallets = append(claim.IDs, row.ID), append(claim.Wallets, row.Wallet)
		claim.Addresses, claim.AssetOf, claim.Epochs = append(claim.Addresses, row.Address), append(claim.AssetOf, i), append(claim.Epochs, 3)
	}
	data, err := claim.Encode()
	if err != nil {
		t.Fatal(err)
	}
	msg := &nats.Msg{Subject: wire.ClaimSubject("evm", "dev", wire.Sweep), Data: data, Header: nats.Header{}}
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
	consumer, err := conn.JS.OrderedConsumer(t.Context(), stream.Results, jetstream.OrderedConsumerConfig{FilterSubjects: []string{"results.evm.dev"}})
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
	node := geth(t, chainID)
	c := chainOf(node.URL())
	server, conn := broker(t, c)
	rows := append(goodRows(node, 20), rowOf(token(node.Bad()[0].Address), node.Wallet(1)), rowOf(native(), "nonsense"))
	claim := publish(t, conn, rows, "60000")
	config := setup()
	config.Chains, config.NATS = []chain.Config{c}, stream.Options{URL: secret.New(server.URL()), Service: "fetcher-evm"}
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
			truth, err := node.Balance(result.Height, row.Asset.Contract, row.Address)
			if err != nil || truth.String() != result.Raw[i] {
				t.Errorf("%s at %d, the state has %v (%v)", result.Raw[i], result.Height, truth, err)
			}
		}
	}
	if values != 80 || errors != 2 {
		t.Errorf("%d values, %d errors", values, errors)
	}
	wait.For(t, 5*time.Second, "the claim is acked", func() bool {
		consumer, err := conn.JS.Consumer(t.Context(), stream.Claims, stream.FetchDurable("evm", "dev", wire.Sweep))
		if err != nil {
			t.Fatal(err)
		}
		return consumer.CachedInfo().NumAckPending == 0 && consumer.CachedInfo().NumPending == 0
	})

	// A claim whose lease is over is dropped before any call is spent on it.
	before := node.Requests()
	publish(t, conn, rows, "0")
	last := publish(t, conn, rows[:1], "60000")
	for _, result := range results(t, conn, len(rows)+1) {
		if result.Claim != claim.Name && result.Claim != last.Name {
			t.Errorf("an expired claim was answered: %s", result.Claim)
		}
	}
	if cost := node.Requests() - before; cost > 8 {
		t.Errorf("%d requests for a claim of one row", cost)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v\n%s", err, log.String())
	}
}

func TestLoadReportsEveryFaultAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chains.yaml")
	text := "chains: [{name: bsc, family: evm, chain_id: 56, block_time: 1s, endpoints: [{name: a, url: \"${BSC_URL}\"}]}]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	load := func(values map[string]string) (Config, error) {
		env := service.NewEnv(func(name string) (string, bool) { value, ok := values[name]; return value, ok })
		return Load(env), env.Err()
	}
	_, err := load(map[string]string{"BALSYNC_CHAINS": path, "BALSYNC_CHAIN": "bsc,eth", "BALSYNC_RPC_BATCH": "0", "BALSYNC_RPC_ROUTE": "fast", "BALSYNC_RPC_TIMEOUT": "soon", "BALSYNC_CALL_GAS": "400000", "BALSYNC_CALL_GAS_MAX": "300000"})
	for _, want := range []string{"BSC_URL", `"eth"`, "BALSYNC_RPC_BATCH", "BALSYNC_RPC_ROUTE", "BALSYNC_RPC_TIMEOUT", "BALSYNC_CALL_GAS_MAX", "NATS_URL"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the faults do not name %s:\n%v", want, err)
		}
	}
	config, err := load(map[string]string{"BALSYNC_CHAINS": path, "BSC_URL": "http://127.0.0.1:1", "NATS_URL": "nats://127.0.0.1:1"})
	if err != nil || len(config.Chains) != 1 || config.BatchSize != 100 || config.Route != "scanner-override" || config.Gas != 300_000 {
		t.Errorf("%+v, %v", config, err)
	}
}
