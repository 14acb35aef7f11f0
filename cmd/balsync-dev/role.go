package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"

	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/jackc/pgx/v5"
)

// passwords gives every user of a run, of the database and of the broker, one of its own.
type passwords struct{ seed secret.Text }

func newPasswords() passwords { return passwords{secret.New(rand.Text())} }

// of is the password of a user. They differ, so that a service that connects as another is refused, and share a part that no log may hold.
func (p passwords) of(user string) string { return p.seed.Reveal() + "-" + user }

// makeRoles gives each service its own database role, as the server's administrator does, and the passwords that they connect with.
func (s *stack) makeRoles(ctx context.Context, admin *pgx.Conn) error {
	var sql strings.Builder
	sql.WriteString(schema.RolesSQL(schema.RoleOptions{Prefix: s.roles, Own: true}))
	for _, r := range schema.Roles() {
		fmt.Fprintf(&sql, "ALTER ROLE %s PASSWORD '%s';\n", pgx.Identifier{s.roles + r.Name}.Sanitize(), s.opt.passwords.of(r.Name))
	}
	if _, err := admin.Exec(ctx, sql.String()); err != nil {
		return fmt.Errorf("make the database roles: %w", err)
	}
	return nil
}

// databaseAs is the database's URL for one of the roles; without roles it is what DATABASE_URL says.
func (s *stack) databaseAs(role string) (secret.Text, error) {
	if s.roles == "" {
		return s.database, nil
	}
	u, err := url.Parse(s.database.Reveal())
	if err != nil || u.Host == "" {
		return secret.Text{}, misuse("BALSYNC_DEV_ROLES needs a DATABASE_URL such as postgres://user@host:5432/name")
	}
	u.User = url.UserPassword(s.roles+role, s.opt.passwords.of(role))
	return secret.New(u.String()), nil
}

// migrate brings the database up as the role that may, and grants to the others.
func (s *stack) migrate(ctx context.Context, admin *pgx.Conn) error {
	if s.roles != "" {
		if err := s.makeRoles(ctx, admin); err != nil {
			return err
		}
	}
	at, err := s.databaseAs(schema.Migrator)
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, at.Reveal())
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // its work is done or undone by now
	if _, err := schema.Up(ctx, conn, schema.Options{}); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if s.roles == "" {
		return nil
	}
	if _, err := schema.Grant(ctx, conn, s.roles); err != nil {
		return fmt.Errorf("grant: %w", err)
	}
	return nil
}
