package schema

import "slices"

// Column is a column that balance-sync relies on.
type Column struct {
	Name  string
	Types []string // accepted, as format_type names them without a modifier; the first is the reference
	Width int      // of a text: how many characters a varchar must hold at least; 0: no matter
	Added bool     // by Up; the others were there
	Moves bool     // changed by claim, apply or release: it may be in no index but the fast lane
}

// Columns are those of wallet_balances that the services read or write. created_at is not among them: nothing of ours asks for it.
//
// The widths are those of a uint256 in decimal, of 'processing', of a claim's name with the longest instance (balsync:<48>:<ulid>), and of the
// longest error. Into a narrower column some or all rows could not be written, and no claim or result would say so before.
func Columns() []Column {
	uuid, text, when := []string{"uuid"}, []string{"text", "character varying"}, []string{"timestamp with time zone"}
	return []Column{
		{Name: "id", Types: uuid},
		{Name: "wallet_id", Types: uuid},
		{Name: "asset_on_chain_id", Types: uuid},
		{Name: "on_chain_balance_raw", Types: text, Width: 78, Moves: true},
		{Name: "on_chain_balance_human", Types: []string{"numeric"}, Moves: true},
		{Name: "processing_status", Types: text, Width: 10, Moves: true},
		{Name: "locked_until", Types: when, Moves: true},
		{Name: "locked_by", Types: text, Width: 83, Moves: true},
		{Name: "last_checked", Types: when, Moves: true},
		{Name: "last_processed_at", Types: when, Moves: true},
		{Name: "last_error", Types: text, Width: 200, Moves: true},
		{Name: "last_error_at", Types: when, Moves: true},
		{Name: "sync_count", Types: []string{"integer", "bigint"}, Moves: true},
		{Name: "error_count", Types: []string{"integer", "smallint"}, Moves: true},
		{Name: "updated_at", Types: append(slices.Clone(when), "timestamp without time zone"), Moves: true},
		{Name: "chain_id", Types: uuid, Added: true},
		{Name: "sweep_seq", Types: []string{"bigint"}, Added: true},
		{Name: "due_at", Types: when, Added: true, Moves: true},
		{Name: "priority", Types: []string{"smallint"}, Added: true, Moves: true},
		{Name: "observed_epoch", Types: []string{"integer"}, Added: true, Moves: true},
		{Name: "observed_height", Types: []string{"bigint"}, Added: true, Moves: true},
		{Name: "observed_at", Types: when, Added: true, Moves: true},
		{Name: "observed_by", Types: []string{"text"}, Added: true, Moves: true},
	}
}
