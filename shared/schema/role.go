package schema

import "time"

// RolePrefix is what the database names of our roles begin with, unless an installation chooses another.
const RolePrefix = "balsync_"

// Role is a database user of one of our programs, and all that it may do. It is the one source of what deploy/postgres grants, what
// Grant gives, what the tests run under, and what Allowed asks for. The zero value may do nothing.
type Role struct {
	Name string // without the prefix: "claimer"
	// Connections is how many it may hold together, over all instances. Together they leave room in Postgres's default of 100.
	Connections int
	// Statement, Lock and Idle are statement_timeout, lock_timeout and idle_in_transaction_session_timeout of its sessions; 0: the
	// server's. A session may set its own, so they are nets for mistakes, not walls.
	Statement, Lock, Idle time.Duration
	Rights                []Right
	Execute               []string // functions, with their argument types
	Owner                 bool     // makes tables and views: the migrator
}

// Right is what a role may do with the columns of one relation.
type Right struct {
	Relation       string
	Select, Update []string
}

// The roles of the services.
const (
	Claimer  = "claimer"
	Writer   = "writer"
	Reader   = "reader"   // for people and dashboards: sees what we keep, changes nothing
	Migrator = "migrator" // makes what Up makes; for the migration alone
)

const backoffFunction = "balance_sync_backoff(integer)"

// Roles are all of them. What a role may update is what its service's statements write, column by column.
func Roles() []Role {
	views := func(names ...string) (list []Right) {
		for _, v := range Views() {
			for _, name := range names {
				if v.Name == name {
					list = append(list, Right{Relation: name, Select: columnNames(v.Columns)})
				}
			}
		}
		return list
	}
	return []Role{
		{Name: Claimer, Connections: 24, Statement: 15 * time.Second, Lock: 2 * time.Second, Idle: 10 * time.Second, Execute: []string{backoffFunction},
			Rights: append(views("balance_sync_chains", "balance_sync_assets", "balance_sync_addresses"), Right{Relation: table,
				// ctid is a column like any other to a grant, and a claim joins by it.
				Select: []string{"ctid", "id", "wallet_id", "asset_on_chain_id", "chain_id", "sweep_seq", "due_at", "priority", "processing_status", "locked_until",
					"locked_by", "last_error", "last_error_at", "error_count", "observed_epoch", "observed_height"},
				// chain_id: a row follows its asset to another chain. The trigger then makes it forget its balance; to write one is the writer's.
				Update: []string{"chain_id", "due_at", "priority", "processing_status", "locked_until", "locked_by", "last_error", "last_error_at", "error_count"}})},
		{Name: Writer, Connections: 51, Statement: 15 * time.Second, Lock: 2 * time.Second, Idle: 10 * time.Second, Execute: []string{backoffFunction},
			Rights: append(views("balance_sync_assets"), Right{Relation: "balance_sync_chains", Select: []string{"chain_id", "name"}}, Right{Relation: table,
				Select: []string{"id", "wallet_id", "asset_on_chain_id", "chain_id", "due_at", "priority", "processing_status", "locked_until", "locked_by",
					"on_chain_balance_raw", "on_chain_balance_human", "last_checked", "last_processed_at", "last_error", "last_error_at", "sync_count", "error_count",
					"observed_epoch", "observed_height", "observed_at", "observed_by"},
				Update: []string{"on_chain_balance_raw", "on_chain_balance_human", "last_checked", "last_processed_at", "last_error", "last_error_at", "sync_count",
					"error_count", "due_at", "processing_status", "locked_until", "locked_by", "observed_epoch", "observed_height", "observed_at", "observed_by", "updated_at"}})},
		{Name: Reader, Connections: 8, Statement: time.Minute, Lock: 2 * time.Second, Idle: 10 * time.Second,
			Rights: append(views("balance_sync_chains", "balance_sync_assets", "balance_sync_addresses"),
				Right{Relation: table, Select: columnNames(Columns())},
				Right{Relation: "balance_sync_migrations", Select: []string{"version", "name", "applied_at", "checksum"}})},
		{Name: Migrator, Connections: 4, Idle: time.Minute, Owner: true},
	}
}

// roleOf finds a role by its name.
func roleOf(name string) Role {
	for _, r := range Roles() {
		if r.Name == name {
			return r
		}
	}
	return Role{Name: name}
}

func columnNames(columns []Column) []string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.Name
	}
	return list
}
