package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
)

// rolePrefix is what a prefix may be: the names stay identifiers of fewer than 63 bytes that need no quotes in a URL.
var rolePrefix = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,40}$`)

// prefixFlag is the flag of all commands that name our roles.
func prefixFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("roles", schema.RolePrefix, "what the names of the database roles begin with")
}

func checkPrefix(prefix string) error {
	if !rolePrefix.MatchString(prefix) {
		return usage(fmt.Errorf("--roles %q: must match %s", prefix, rolePrefix))
	}
	return nil
}

// printRoles needs no database: what it prints is for whoever administers the server.
func printRoles(c console) *cobra.Command {
	cmd := &cobra.Command{Use: "roles", Short: "print the SQL that makes the services' database roles, to be run by the server's administrator", Args: none}
	o := schema.RoleOptions{}
	prefix := prefixFlag(cmd)
	cmd.Flags().StringVar(&o.Schema, "schema", "public", "where wallet_balances is")
	cmd.Flags().BoolVar(&o.Own, "own-database", false, "nobody else uses the database: also take back what everybody may do in it by default")
	withGrants := cmd.Flags().Bool("grants", false, "print the second half instead: what the roles may do with the tables, once there are any")
	cmd.RunE = func(*cobra.Command, []string) error {
		if err := checkPrefix(*prefix); err != nil {
			return err
		}
		o.Prefix = *prefix
		sql := schema.RolesSQL(o)
		if *withGrants {
			sql = schema.GrantsSQL(o)
		}
		_, err := fmt.Fprint(c.out, sql)
		return err
	}
	return cmd
}

// roleRow is a role as it is shown.
type roleRow struct {
	Role string `json:"role"`
}

func grants(c console, env *service.Env, show shower) *cobra.Command {
	cmd := &cobra.Command{Use: "grants", Short: "give the services' database roles what they need, and take what they do not (`up` does it too)", Args: none}
	prefix := prefixFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return connect(cmd.Context(), env, func(conn *pgx.Conn) error {
			granted, err := grantRoles(cmd.Context(), c, conn, *prefix, true)
			if err != nil {
				return err
			}
			rows := make([]roleRow, 0, len(granted))
			for _, role := range granted {
				rows = append(rows, roleRow{role})
			}
			return show([]string{"ROLE"}, rows)
		})
	}
	return cmd
}

// grantRoles grants to those of the roles that exist, and says to whom. Where roles were asked for, that there are none is an error: a
// prefix with a typing error would else look like success.
func grantRoles(ctx context.Context, c console, conn *pgx.Conn, prefix string, asked bool) ([]string, error) {
	if err := checkPrefix(prefix); err != nil {
		return nil, err
	}
	granted, err := schema.Grant(ctx, conn, prefix)
	if err != nil {
		return nil, err
	}
	if len(granted) == 0 && asked {
		return nil, fmt.Errorf("nothing granted: no role %s%s or of a name like it exists: `balsync migrate roles --roles %s` prints them", prefix, schema.Claimer, prefix)
	}
	if len(granted) > 0 {
		fmt.Fprintf(c.err, "granted: %s\n", strings.Join(granted, ", "))
	}
	return granted, nil
}
