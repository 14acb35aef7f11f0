package writer

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/pgdev"
	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// role makes the database roles of this test's own and gives the name of the writer's and a pool of its.
func (b *bed) role() (*pgxpool.Pool, string) {
	b.Helper()
	prefix := pgdev.RolePrefix(b, b.url)
	b.exec(schema.RolesSQL(schema.RoleOptions{Prefix: prefix, Own: true}))
	conn, err := pgx.Connect(context.Background(), b.url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := schema.Grant(context.Background(), conn, prefix); err != nil {
		b.Fatal(err)
	}
	pool, err := schema.OpenPool(secret.New(pgdev.As(b, b.url, prefix+schema.Writer, "not-asked-for")), "test", 2)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	return pool, prefix + schema.Writer
}

// statements runs every statement of the writer.
func (b *bed) statements(pool *pgxpool.Pool, row Row) error {
	_, err := NewStore(pool).Apply(context.Background(), b.chain, interval, []Row{row})
	a := &applier{pool: pool, store: NewStore(pool)}
	a.chain.Name = "testnet"
	return errors.Join(err, a.look(context.Background()))
}

func TestWriterNeedsEveryRightThatItHasAndNoOther(t *testing.T) {
	b := newBed(t)
	pool, name := b.role()
	nobody := Row{ID: uuid.New(), Wallet: uuid.New(), Asset: b.token, Claim: "c", Kind: Value, Raw: "1", Height: 1, ObservedAt: b.start}
	if err := b.statements(pool, nobody); err != nil {
		t.Fatalf("with all its rights: %v", err)
	}
	denied := func(err error) bool {
		var pg *pgconn.PgError
		return errors.As(err, &pg) && pg.Code == "42501"
	}
	for _, role := range schema.Roles() {
		if role.Name != schema.Writer {
			continue
		}
		for _, right := range role.Rights {
			for kind, columns := range map[string][]string{"SELECT": right.Select, "UPDATE": right.Update} {
				for _, column := range columns {
					what := kind + " (" + column + ") ON " + right.Relation
					b.exec("REVOKE " + what + " FROM " + name)
					if err := b.statements(pool, nobody); !denied(err) {
						t.Errorf("%s is granted and not needed: %v", what, err)
					}
					b.exec("GRANT " + what + " TO " + name)
				}
			}
		}
		for _, f := range role.Execute {
			b.exec("REVOKE EXECUTE ON FUNCTION " + f + " FROM " + name)
			// A function is asked for when it is called, so there must be a row error to call it for.
			row := b.leased("c").fail(RowFault, "reverted", "")
			if err := b.statements(pool, row); !denied(err) {
				t.Errorf("%s is granted and not needed: %v", f, err)
			}
		}
	}
}

func TestWriterAppliesUnderItsOwnRole(t *testing.T) {
	b := newBed(t)
	pool, _ := b.role()
	b.store = NewStore(pool)
	b.want(b.expect(Applied, b.leased("a")), free)
	b.want(b.expect(Failed, b.leased("b").fail(RowFault, "reverted", "no")), free)
}

func TestARightThatIsTakenAwayIsSaid(t *testing.T) {
	b := newBed(t)
	pool, name := b.role()
	process := service.Process{Name: "writer", Log: zerolog.Nop(), Metrics: prometheus.NewRegistry(), Health: service.NewHealth(), Scrub: secret.NewScrubber()}
	b.exec("REVOKE UPDATE (observed_height) ON wallet_balances FROM " + name)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); watch(ctx, pool, process) }()
	wait.For(t, 20*time.Second, "not ready, with the column as the reason", func() bool {
		ready, states := process.Health.Ready()
		return !ready && strings.Contains(states["writer.postgres"], "UPDATE wallet_balances.observed_height") && strings.Contains(states["writer.postgres"], name)
	})
	stop()
	<-ended
}
