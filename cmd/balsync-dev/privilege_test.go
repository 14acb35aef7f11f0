package main

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/jackc/pgx/v5"
)

func TestEachServiceConnectsToTheDatabaseAsItsOwnRole(t *testing.T) {
	s, running := begin(t, nil, "--wallets", "4")
	seen := map[string]bool{}
	wait.For(t, 30*time.Second, "claimer and writer have been connected", func() bool {
		rows, err := s.pool.Query(t.Context(), `SELECT application_name || ' ' || usename FROM pg_stat_activity
			WHERE datname = current_database() AND starts_with(application_name, 'balsync-') AND application_name <> 'balsync-dev'`)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		for _, who := range got {
			seen[who] = true
		}
		return len(seen) >= 2
	})
	want := map[string]bool{"balsync-claimer " + s.roles + schema.Claimer: true, "balsync-writer " + s.roles + schema.Writer: true}
	if !maps.Equal(seen, want) {
		t.Errorf("%v, want %v", seen, want)
	}
	if err := running.stop(); err != nil {
		t.Fatal(err)
	}
}

// taken is a right that is taken away while everything runs, and what /readyz must then say.
type taken struct {
	name       string
	user       string // of the broker
	subject    string
	role       string // of the database
	right      string
	dependency string
	says       string
}

// A right that goes missing is an operator's mistake: it is said within seconds by the service that lacks it, and once it is back
// every row is read and stored again.
func TestARightThatIsTakenAwayIsSaidAndNothingIsLost(t *testing.T) {
	t.Parallel() // it waits more than it works
	env := ours(t)
	for _, key := range []string{"BALSYNC_SYNC_INTERVAL", "BALSYNC_PASS_PACE", "BALSYNC_CHAIN_POLL", "BALSYNC_PUBLISH_PATIENCE"} {
		env[key] = "1s"
	}
	s, running := beginIn(t, env, nil, "--wallets", "20")
	wait.For(t, 60*time.Second, "ready", func() bool { ready, _ := s.health.Ready(); return ready })
	sweep, results := wire.ClaimSubject("evm", "evm-a", wire.Sweep), wire.ResultSubject("evm", "evm-a")
	durable := stream.WriteDurable("evm", "evm-a")
	for _, tt := range []taken{
		{name: "claims are published", user: stream.Claimer, subject: sweep, dependency: "claimer.nats", says: sweep},
		{name: "the backlog is asked for", user: stream.Claimer, subject: "$JS.API.CONSUMER.INFO.RESULTS." + durable, dependency: "claimer.nats", says: durable},
		{name: "claims are pulled", user: stream.Fetcher + "evm", subject: "$JS.API.CONSUMER.MSG.NEXT.CLAIMS." + stream.FetchDurable("evm", "evm-a", wire.Sweep), dependency: "fetcher-evm.nats", says: "MSG.NEXT.CLAIMS"},
		{name: "results are published", user: stream.Fetcher + "evm", subject: results, dependency: "fetcher-evm.nats", says: results},
		{name: "results are pulled", user: stream.Writer, subject: "$JS.API.CONSUMER.MSG.NEXT.RESULTS." + durable, dependency: "writer.nats", says: "MSG.NEXT.RESULTS"},
		{name: "a lease is taken", role: schema.Claimer, right: "UPDATE (locked_until)", dependency: "claimer.postgres", says: "UPDATE wallet_balances.locked_until"},
		{name: "a balance is written", role: schema.Writer, right: "UPDATE (on_chain_balance_raw)", dependency: "writer.postgres", says: "UPDATE wallet_balances.on_chain_balance_raw"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			began := time.Now()
			s.take(t, tt)
			wait.For(t, 30*time.Second, "not ready, with the reason", func() bool {
				ready, states := s.health.Ready()
				return !ready && strings.Contains(states[tt.dependency], tt.says)
			})
			t.Logf("said after %v", time.Since(began).Round(time.Millisecond))
			s.giveBack(t, tt)
		})
	}
	now := text(s.clock(t))
	wait.For(t, 100*time.Second, "every good row is read and stored anew", func() bool {
		var left int
		const stale = `SELECT count(*) FROM wallet_balances WHERE (last_error IS NULL OR on_chain_balance_raw IS NOT NULL) AND (last_processed_at IS NULL OR last_processed_at < $1::text::timestamptz)`
		if err := s.pool.QueryRow(t.Context(), stale, now).Scan(&left); err != nil {
			t.Fatal(err)
		}
		return left == 0
	})
	if err := running.stop(); err != nil {
		t.Fatal(err)
	}
	for _, c := range s.chains {
		err := s.verify(context.WithoutCancel(t.Context()), c, func(row stored, verdict string) {
			if verdict == wrong {
				t.Errorf("%s: row %v is wrong", c.name, row.id)
			}
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func (s *stack) take(t *testing.T, what taken) {
	t.Helper()
	if what.role != "" {
		s.exec(t, fmt.Sprintf("REVOKE %s ON wallet_balances FROM %s", what.right, s.roles+what.role))
		return
	}
	users := s.users()
	for i := range users {
		if users[i].Name == what.user {
			at := slices.Index(users[i].Publish, what.subject)
			if at < 0 {
				t.Fatalf("%s has no right to %s", what.user, what.subject)
			}
			users[i].Publish = slices.Delete(slices.Clone(users[i].Publish), at, at+1)
		}
	}
	s.reload(t, users)
}

func (s *stack) giveBack(t *testing.T, what taken) {
	t.Helper()
	if what.role != "" {
		s.exec(t, fmt.Sprintf("GRANT %s ON wallet_balances TO %s", what.right, s.roles+what.role))
		return
	}
	s.reload(t, s.users())
}

func (s *stack) exec(t *testing.T, sql string) {
	t.Helper()
	if _, err := s.pool.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func (s *stack) clock(t *testing.T) *string {
	t.Helper()
	var now string
	if err := s.pool.QueryRow(t.Context(), "SELECT clock_timestamp()::text").Scan(&now); err != nil {
		t.Fatal(err)
	}
	return &now
}

// reload has the broker read its file again with other users, as a signal does.
func (s *stack) reload(t *testing.T, users []stream.User) {
	t.Helper()
	if err := s.writeUsers(filepath.Join(s.dir, "nats.conf"), users); err != nil {
		t.Fatal(err)
	}
	if err := s.nats.Reload(); err != nil {
		t.Fatal(err)
	}
}
