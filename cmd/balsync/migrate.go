package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
)

// stepRow is a migration step as it is shown.
type stepRow struct {
	Version int    `json:"version"`
	Name    string `json:"name"`
	State   string `json:"state"` // applied, pending, changed
	At      string `json:"applied_at,omitempty"`
}

func stepRows(steps []schema.Step) []stepRow {
	rows := make([]stepRow, 0, len(steps))
	for _, s := range steps {
		row := stepRow{Version: s.Version, Name: s.Name, State: "pending"}
		if !s.Applied.IsZero() {
			row.State, row.At = "applied", s.Applied.UTC().Format(time.RFC3339)
		}
		if s.Changed {
			row.State = "changed"
		}
		rows = append(rows, row)
	}
	return rows
}

var stepColumns = []string{"VERSION", "NAME", "STATE", "APPLIED"}

func migrate(c console, env *service.Env, show shower) *cobra.Command {
	up := &cobra.Command{Use: "up", Short: "bring the database's schema up to date", Args: none}
	online := up.Flags().Bool("online", false, "take no long lock: fill in batches, build indexes concurrently (slower; for large tables)")
	roles := prefixFlag(up)
	up.RunE = func(cmd *cobra.Command, _ []string) error {
		return connect(cmd.Context(), env, func(conn *pgx.Conn) error {
			steps, err := schema.Up(cmd.Context(), conn, schema.Options{Online: *online, Log: func(s schema.Step) {
				if s.Applied.IsZero() {
					fmt.Fprintf(c.err, "%s: %d rows\n", s.File(), s.Rows)
				} else {
					fmt.Fprintf(c.err, "%s: applied\n", s.File())
				}
			}})
			if err != nil {
				return fmt.Errorf("migrate: %w", err)
			}
			if _, err := grantRoles(cmd.Context(), c, conn, *roles, up.Flags().Changed("roles")); err != nil {
				return err
			}
			return show(stepColumns, stepRows(steps))
		})
	}
	status := &cobra.Command{Use: "status", Short: "list the steps and which are applied", Args: none}
	status.RunE = func(cmd *cobra.Command, _ []string) error {
		return connect(cmd.Context(), env, func(conn *pgx.Conn) error {
			steps, err := schema.Status(cmd.Context(), conn)
			if err != nil {
				return err
			}
			return show(stepColumns, stepRows(steps))
		})
	}
	print := &cobra.Command{Use: "print", Short: "print the SQL, the lock that each step takes, and the table's size", Args: none}
	print.RunE = func(cmd *cobra.Command, _ []string) error {
		return connect(cmd.Context(), env, func(conn *pgx.Conn) error { return schema.Print(cmd.Context(), conn, c.out) })
	}
	return group("migrate", "the database's schema, and who may do what in it", up, status, print, printRoles(c), grants(c, env, show))
}

// errNoURL does not quote what was given: it may hold a password.
var errNoURL = errors.New("DATABASE_URL is not a Postgres URL such as postgres://db.example:5432/app")

// connect opens the one connection that a command uses. A migration changes tables, so it connects directly: behind a
// transaction pooler it works too, since it keeps no session state.
func connect(ctx context.Context, env *service.Env, use func(*pgx.Conn) error) error {
	url := env.Require("DATABASE_URL", env.Secret("DATABASE_URL"), "the database, such as postgres://db.example:5432/app")
	if err := env.Err(); err != nil {
		return usage(err)
	}
	config, err := pgx.ParseConfig(url.Reveal())
	if err != nil {
		return usage(errNoURL)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	config.ConnectTimeout = 10 * time.Second
	config.RuntimeParams["application_name"] = "balsync"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connect to the database (DATABASE_URL): %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // the process ends; the server notices
	return use(conn)
}
