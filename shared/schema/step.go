package schema

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Version is the number of the last step: a database that has applied it is up to date.
const Version = 11

//go:embed sql/*.sql
var files embed.FS

// Step is one numbered file, and what became of it in a database.
type Step struct {
	Version int
	Name    string // "columns": sql/0007_columns.sql
	SQL     string // the file

	OnlineSQL string // what Options.Online runs instead, with the same result; of the fill, once for each batch; empty: SQL

	Checksum string // SHA-256 of SQL in hex, as balance_sync_migrations keeps it
	Changed  bool   // applied from a file with another checksum

	Lock       string // what the plain way locks, and for how long
	OnlineLock string // the same for Options.Online; empty: as Lock

	Applied time.Time // by the database's clock; zero: not applied
	Rows    int64     // of the fill: rows filled so far by this Up
}

// File is the name of the step's file: 0007_columns.sql.
func (s Step) File() string { return fmt.Sprintf("%04d_%s.sql", s.Version, s.Name) }

// step is a Step with what Up needs to take it.
type step struct {
	Step
	unless string                                                            // skipped, and recorded, where this relation exists
	index  string                                                            // what the step builds, if it is an index
	online func(r *run, ctx context.Context, s *step) (mine bool, err error) // nil: the plain way is brief enough
}

// steps are all of them, in order.
func steps() []step {
	const brief = "for a moment"
	list := []step{
		{Step: Step{Name: "tables", Lock: "none: runs only where wallet_balances does not exist"}, unless: table},
		{Step: Step{Name: "chains_view", Lock: "none: runs only where balance_sync_chains does not exist"}, unless: "balance_sync_chains"},
		{Step: Step{Name: "assets_view", Lock: "none: runs only where balance_sync_assets does not exist"}, unless: "balance_sync_assets"},
		{Step: Step{Name: "addresses_view", Lock: "none: runs only where balance_sync_addresses does not exist"}, unless: "balance_sync_addresses"},
		{Step: Step{Name: "backoff", Lock: "none"}},
		{Step: Step{Name: "row", Lock: "none"}},
		{Step: Step{
			Name:       "columns",
			Lock:       "ACCESS EXCLUSIVE on wallet_balances while every row is updated and the table is rewritten: reads and writes wait",
			OnlineLock: "ACCESS EXCLUSIVE on wallet_balances, " + brief,
		}, online: (*run).columns},
		{Step: Step{Name: "triggers", Lock: "SHARE ROW EXCLUSIVE on wallet_balances, " + brief}},
		{Step: Step{
			Name:       "fill",
			Lock:       "ROW EXCLUSIVE on wallet_balances for one scan, and the rows that it fills: few, unless step 7 ran online",
			OnlineLock: "ROW EXCLUSIVE on wallet_balances, and the rows of one batch at a time; locked rows are passed by",
		}, online: (*run).fill},
		{Step: Step{
			Name:       "sweep_index",
			Lock:       "SHARE on wallet_balances while the index is built: writes wait",
			OnlineLock: "SHARE UPDATE EXCLUSIVE on wallet_balances while the index is built: nobody waits",
		}, index: sweepIndex, online: (*run).concurrently},
		{Step: Step{
			Name:       "fast_index",
			Lock:       "SHARE on wallet_balances while the index is built: writes wait",
			OnlineLock: "SHARE UPDATE EXCLUSIVE on wallet_balances while the index is built: nobody waits",
		}, index: fastIndex, online: (*run).concurrently},
	}
	for i := range list {
		s := &list[i]
		s.Version = i + 1
		s.SQL = text(s.File())
		switch {
		case s.index != "":
			s.OnlineSQL = strings.Replace(s.SQL, "CREATE INDEX", "CREATE INDEX CONCURRENTLY", 1)
		case s.online != nil:
			s.OnlineSQL = text(strings.Replace(s.File(), ".sql", ".online.sql", 1))
		}
		sum := sha256.Sum256([]byte(s.SQL))
		s.Checksum = hex.EncodeToString(sum[:])
	}
	return list
}

// text is an embedded file. The names are constants of this package, and a test reads them all.
func text(name string) string {
	b, err := files.ReadFile("sql/" + name)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// Fingerprint is a hash of everything that Up may run, 16 hex digits: two binaries that have it in common build the same database.
// Tests name their template database by it.
func Fingerprint() string {
	entries, err := files.ReadDir("sql")
	if err != nil {
		panic(err)
	}
	h := sha256.New()
	for _, e := range entries {
		fmt.Fprintf(h, "%s\x00%s\x00", e.Name(), text(e.Name()))
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}
