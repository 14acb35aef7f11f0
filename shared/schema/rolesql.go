package schema

import (
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// RoleOptions say for which installation the roles are.
type RoleOptions struct {
	Prefix string // of the roles' names; "": RolePrefix
	Schema string // where wallet_balances is, or will be; "": public
	// Own says that nobody else uses the database: then what everybody may do in it by default (connect, temporary tables, the schema
	// public) is taken back. In a database that others share that would lock them out, and only the right to create things in public goes.
	Own bool
}

func (o RoleOptions) filled() RoleOptions {
	if o.Prefix == "" {
		o.Prefix = RolePrefix
	}
	if o.Schema == "" {
		o.Schema = "public"
	}
	return o
}

// RolesSQL is the first half of our roles: that they exist, their limits, and that they reach the schema. It is run once by whoever
// administers the server, may be run again, and sets no password. [GrantsSQL] is the other half, once there are tables.
func RolesSQL(o RoleOptions) string {
	o = o.filled()
	schema := quoted(o.Schema)
	var b strings.Builder
	for _, r := range Roles() {
		name := quoted(o.Prefix + r.Name)
		fmt.Fprintf(&b, "\n-- %s\n", r.Name)
		fmt.Fprintf(&b, "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = %s) THEN CREATE ROLE %s; END IF; END $$;\n", literal(o.Prefix+r.Name), name)
		inherit := "NOINHERIT"
		if r.Owner {
			inherit = "INHERIT" // it uses the rights of whoever owns an adopted table, as a member of that role
		}
		fmt.Fprintf(&b, "ALTER ROLE %s LOGIN %s CONNECTION LIMIT %d;\n", name, inherit, r.Connections)
		for _, s := range []struct {
			name  string
			value time.Duration
		}{{"statement_timeout", r.Statement}, {"lock_timeout", r.Lock}, {"idle_in_transaction_session_timeout", r.Idle}} {
			if s.value > 0 {
				fmt.Fprintf(&b, "ALTER ROLE %s SET %s = '%dms';\n", name, s.name, s.value.Milliseconds())
			}
		}
		// pg_temp is named, and last: unnamed it comes first, and a temporary view would stand in front of ours.
		fmt.Fprintf(&b, "ALTER ROLE %s SET search_path = %s, pg_temp;\n", name, schema)
	}
	b.WriteString("\n-- who may come in\n")
	if o.Own {
		b.WriteString("DO $$ BEGIN EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()); END $$;\n")
		b.WriteString("REVOKE ALL ON SCHEMA public FROM PUBLIC;\n")
	} else {
		b.WriteString("REVOKE CREATE ON SCHEMA public FROM PUBLIC;\n")
	}
	var all []string
	for _, r := range Roles() {
		all = append(all, quoted(o.Prefix+r.Name))
	}
	fmt.Fprintf(&b, "DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %%I TO %s', current_database()); END $$;\n", strings.Join(all, ", "))
	fmt.Fprintf(&b, "GRANT USAGE ON SCHEMA %s TO %s;\n", schema, strings.Join(all, ", "))
	fmt.Fprintf(&b, "GRANT CREATE ON SCHEMA %s TO %s;\n", schema, quoted(o.Prefix+Migrator))
	return b.String()
}

// GrantsSQL is the second half: what each role may do with our table, views and functions, given by their owner. It first takes back
// what the roles have there, so that a right that is no longer needed is gone; in one transaction nobody sees the moment in between.
func GrantsSQL(o RoleOptions) string {
	o = o.filled()
	var b strings.Builder
	for _, r := range Roles() {
		if !r.Owner {
			b.WriteString(r.grants(o))
		}
	}
	return b.String()
}

// grants are the statements for one role.
func (r Role) grants(o RoleOptions) string {
	var b strings.Builder
	name, schema := quoted(o.Prefix+r.Name), quoted(o.Schema)
	relations := make([]string, 0, len(r.Rights))
	for _, v := range append([]View{{Name: table}, {Name: "balance_sync_migrations"}}, Views()...) {
		relations = append(relations, schema+"."+v.Name)
	}
	fmt.Fprintf(&b, "\n-- %s\nREVOKE ALL ON %s FROM %s;\n", r.Name, strings.Join(relations, ", "), name)
	for _, right := range r.Rights {
		if len(right.Select) > 0 {
			fmt.Fprintf(&b, "GRANT SELECT (%s) ON %s.%s TO %s;\n", strings.Join(right.Select, ", "), schema, right.Relation, name)
		}
		if len(right.Update) > 0 {
			fmt.Fprintf(&b, "GRANT UPDATE (%s) ON %s.%s TO %s;\n", strings.Join(right.Update, ", "), schema, right.Relation, name)
		}
	}
	for _, f := range r.Execute {
		fmt.Fprintf(&b, "REVOKE ALL ON FUNCTION %s.%s FROM PUBLIC;\nGRANT EXECUTE ON FUNCTION %s.%s TO %s;\n", schema, f, schema, f, name)
	}
	return b.String()
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

// literal is a text as SQL has it.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
