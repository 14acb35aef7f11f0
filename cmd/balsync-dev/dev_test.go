package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/evmdev"
	"github.com/balance-sync/balance-sync/devkit/trondev"
	"github.com/balance-sync/balance-sync/shared/service"
)

// decode reads the one JSON object of a run and refuses anything beside it.
func decode(t *testing.T, got outcome) report {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(got.stdout))
	decoder.DisallowUnknownFields()
	var r report
	if err := decoder.Decode(&r); err != nil || decoder.More() {
		t.Fatalf("stdout is not one report (%v):\n%s\nstderr:\n%s", err, got.stdout, got.stderr)
	}
	return r
}

func TestEveryRowIsRightWhenAllIsSynced(t *testing.T) {
	const wallets = 40
	got := drive(t, ours(t), "--wallets", "40", "--until-synced", "-o", "json")
	if got.code != service.ExitDone {
		t.Fatalf("exit %d:\n%s\n%s", got.code, got.stdout, got.stderr)
	}
	r := decode(t, got)
	if r.Rows != 3*wallets+r.ExpectedErrors || r.Synced != 3*wallets || r.Wrong != 0 || r.Unverified != 0 || r.Errors != r.ExpectedErrors || r.ExpectedErrors == 0 {
		t.Errorf("%+v", r)
	}
	if len(r.Chains) != 3 || r.RPCRequests == 0 || r.Seconds <= 0 {
		t.Fatalf("%+v", r)
	}
	synced, requests := 0, int64(0)
	for i, family := range []string{"evm", "evm", "tron"} {
		c := r.Chains[i]
		if c.Family != family || c.Height == 0 || c.Synced < 3*(wallets/3) || c.Errors == 0 || c.RPCRequests == 0 {
			t.Errorf("%+v", c)
		}
		synced, requests = synced+c.Synced, requests+c.RPCRequests
	}
	if synced != r.Synced || requests != r.RPCRequests {
		t.Errorf("the chains have %d synced rows and %d requests, and all is %+v", synced, requests, r)
	}
}

// A comparison that cannot fail proves nothing: spoil one stored value after the services have stopped.
func TestAWrongRowIsFound(t *testing.T) {
	s, running := begin(t, nil, "--wallets", "4", "--until-synced")
	ctx := t.Context()
	reached, err := s.watch(ctx, running.failed)
	if err != nil || !reached.synced {
		t.Fatalf("%+v, %v", reached, err)
	}
	if err := running.stop(); err != nil {
		t.Fatal(err)
	}
	exec := func(sql string) {
		t.Helper()
		if _, err := s.pool.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TABLE saved AS SELECT * FROM wallet_balances WHERE on_chain_balance_raw > '0' AND last_error IS NULL LIMIT 1")
	for _, spoil := range []string{
		"on_chain_balance_raw = b.on_chain_balance_raw || '1'",
		"on_chain_balance_human = b.on_chain_balance_human + 0.000000000000000001",
		"observed_height = NULL",
	} {
		exec("UPDATE wallet_balances b SET " + spoil + " FROM saved s WHERE s.id = b.id")
		r, err := s.report(ctx, reached)
		if err != nil {
			t.Fatal(err)
		}
		if r.Wrong != 1 || r.verdict(s.opt, reached) == nil {
			t.Errorf("%s: %d wrong, want 1", spoil, r.Wrong)
		}
		exec(`UPDATE wallet_balances b SET on_chain_balance_raw = s.on_chain_balance_raw, on_chain_balance_human = s.on_chain_balance_human,
			observed_height = s.observed_height FROM saved s WHERE s.id = b.id`)
	}
	if r, err := s.report(ctx, reached); err != nil || r.Wrong != 0 || r.verdict(s.opt, reached) != nil {
		t.Errorf("restored: %+v, %v", r, err)
	}
}

func TestARealChainsValuesAreNeverCountedAsRight(t *testing.T) {
	evm, err := evmdev.Start(t.Context(), evmdev.Config{ChainID: 77, Wallets: 3, BlockPeriod: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer evm.Close()
	tron, err := trondev.Start(t.Context(), trondev.Config{Chain: 77, Wallets: 3, BlockPeriod: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer tron.Close()
	got := drive(t, map[string]string{"DATABASE_URL": empty(t)},
		"--chain", "mine,evm,77="+evm.URL(), "--wallet", "mine:"+evm.Wallet(1), "--wallet", "mine:"+evm.Wallet(2),
		"--chain", "other,tron,"+tron.GenesisID()+"="+tron.URL(), "--wallet", "other:"+tron.Wallet(1),
		"--until-synced", "-o", "json")
	r := decode(t, got)
	if got.code != service.ExitDone || r.Rows != 3 || r.Unverified != 3 || r.Synced != 3 || r.ExpectedErrors != 0 {
		t.Errorf("exit %d, %+v\n%s", got.code, r, got.stderr)
	}
	got = drive(t, map[string]string{"DATABASE_URL": empty(t)}, "--chain", "mine,evm,77="+evm.URL(), "--wallet", "mine:"+evm.Wallet(1), "--until-synced")
	if got.code != service.ExitDone || strings.Contains(got.stdout, "every value was compared") || !strings.Contains(got.stdout, "1 values are of chains") {
		t.Errorf("what was compared with nothing is told as compared: exit %d, %s", got.code, got.stdout)
	}
}

func TestNotSyncedInTimeFails(t *testing.T) {
	got := drive(t, ours(t), "--wallets", "10", "--until-synced", "--timeout", "1ms", "-o", "json")
	if got.code != service.ExitFailed || !strings.Contains(got.stderr, "not synced after 1ms") {
		t.Errorf("exit %d: %s", got.code, got.stderr)
	}
	decode(t, got)
}
