package claimer

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/pgdev"
	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// role makes the database roles of this test's own and gives the URL of the claimer's, and its name.
func (d *database) role() (url, name string) {
	d.t.Helper()
	prefix := pgdev.RolePrefix(d.t, d.url)
	d.do(schema.RolesSQL(schema.RoleOptions{Prefix: prefix, Own: true}))
	conn, err := pgx.Connect(d.t.Context(), d.url)
	if err != nil {
		d.t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(d.t.Context()))
	if _, err := schema.Grant(d.t.Context(), conn, prefix); err != nil {
		d.t.Fatal(err)
	}
	name = prefix + schema.Claimer
	return pgdev.As(d.t, d.url, name, "not-asked-for"), name
}

// statements runs every statement of the claimer and gives the error of the first that fails.
func statements(ctx context.Context, s *Store) error {
	_, a := s.ClaimSweep(ctx, uuid.New(), 0, end, 10)
	_, b := s.ClaimFast(ctx, uuid.New(), 10)
	_, c := s.Release(ctx, "nobody", nil, 0)
	_, d := s.Rehome(ctx, nil)
	_, e := s.AdoptOrphans(ctx, 0, 10)
	_, _, f := s.Next(ctx, uuid.New(), 0)
	_, g := s.chains(ctx)
	return errors.Join(a, b, c, d, e, f, g)
}

func denied(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "42501"
}

func TestClaimerNeedsEveryRightThatItHasAndNoOther(t *testing.T) {
	d := newDatabase(t)
	url, name := d.role()
	pool, err := schema.OpenPool(secret.New(url), "test", 2)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	s := NewStore(pool, "test", testLease)
	if err := statements(t.Context(), s); err != nil {
		t.Fatalf("with all its rights: %v", err)
	}
	for _, role := range schema.Roles() {
		if role.Name != schema.Claimer {
			continue
		}
		for _, right := range role.Rights {
			for kind, columns := range map[string][]string{"SELECT": right.Select, "UPDATE": right.Update} {
				for _, column := range columns {
					what := kind + " (" + column + ") ON " + right.Relation
					d.do("REVOKE " + what + " FROM " + name)
					if err := statements(t.Context(), s); !denied(err) {
						t.Errorf("%s is granted and not needed: %v", what, err)
					}
					d.do("GRANT " + what + " TO " + name)
				}
			}
		}
		for _, f := range role.Execute {
			d.do("REVOKE EXECUTE ON FUNCTION " + f + " FROM " + name)
			// A function is asked for when it is called, so there must be a row to call it for.
			d.do("INSERT INTO wallet_balances DEFAULT VALUES")
			if err := statements(t.Context(), s); !denied(err) {
				t.Errorf("%s is granted and not needed: %v", f, err)
			}
		}
	}
}

func TestARightThatIsTakenAwayIsSaidAndComesBack(t *testing.T) {
	s, bsc := newStage(t)
	name := s.user
	s.drain()
	s.run()
	wait.For(t, patience, "ready", func() bool { ready, _ := s.health.Ready(); return ready })
	s.do("REVOKE UPDATE (locked_by) ON wallet_balances FROM " + name)
	asset := s.token(bsc, "0x1")
	s.rows(asset, 10)
	wait.For(t, patience, "not ready, with the column as the reason", func() bool {
		ready, states := s.health.Ready()
		return !ready && strings.Contains(states["claimer.postgres"], "UPDATE wallet_balances.locked_by") && strings.Contains(states["claimer.postgres"], name)
	})
	s.do("GRANT UPDATE (locked_by) ON wallet_balances TO " + name)
	wait.For(t, patience, "ready again", func() bool { ready, _ := s.health.Ready(); return ready })
	wait.For(t, patience, "every row is claimed", func() bool { return s.claimed(wire.Sweep) == 10 })
}
