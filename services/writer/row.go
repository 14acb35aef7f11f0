package writer

import (
	"time"

	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/uuid"
)

// Kind says what a result found for a row, and so what it moves.
type Kind string

// The kinds, as apply.sql names them.
const (
	// Value is a balance with proof of its height.
	Value Kind = "v"
	// Warned is a balance of which the human amount is not known; Error says why. It counts as an error of the row.
	Warned Kind = "w"
	// RowFault is an error of the row or its token: error_count rises and the row backs off.
	RowFault Kind = "r"
	// EndpointFault is an error of the nodes, or of a result that we refuse: error_count stays and the row is due again soon.
	EndpointFault Kind = "e"
)

// Row is what one result says of one row of wallet_balances.
type Row struct {
	ID uuid.UUID
	// Claim is the lease that this answers, the value of locked_by.
	Claim string
	// Wallet and Asset are what was read. A value is written only to a row that still has both, and only while the asset is as it was.
	Wallet uuid.UUID
	Asset  wire.Asset
	Epoch  int32
	Kind   Kind
	// Raw is a canonical uint256, "" for errors. The human amount follows from it and from the asset's decimals.
	Raw string
	// Height and ObservedAt place a value in time; errors have no height.
	Height     int64
	ObservedAt time.Time
	// ObservedBy is the endpoint's alias and the route.
	ObservedBy string
	// Error is last_error: the code, and a cleaned text after a colon. "" for a value.
	Error string
}

// fail gives the row with an error in place of what it had. An error proves nothing, so it keeps no height.
func (r Row) fail(kind Kind, code, message string) Row {
	r.Kind, r.Raw, r.Height = kind, "", 0
	r.Error = wire.RowError{Code: code, Message: message}.Text()
	return r
}

// Outcome is what became of a result's word on a row.
type Outcome struct {
	Fate Fate
	// Refused is the code of the error that took the place of what the result said, "" if it was taken at its word.
	Refused string
}

// Fate is what became of a row in the table.
type Fate string

// The fates. The first four answered the claim that held the row and freed its lease.
const (
	// Applied: the value was written.
	Applied Fate = "applied"
	// Stale: the stored value is newer and stays.
	Stale Fate = "stale"
	// Failed: the error was noted.
	Failed Fate = "failed"
	// Rejected: Postgres refused the value; that was noted as an error of the row, and the result is a dead letter.
	Rejected Fate = "rejected"
	// Late: the value was written, but the lease is another's by now, or nobody's.
	Late Fate = "late"
	// Superseded: neither newer nor of the claim that holds the row; nothing was written.
	Superseded Fate = "superseded"
	// Foreign: another worker's status is on the row; nothing was written.
	Foreign Fate = "foreign"
	// Busy: another transaction has the row locked; nothing was written, and a later try may do better.
	Busy Fate = "busy"
	// Unknown: the chain has no such row.
	Unknown Fate = "unknown"
)

// fates are all of them.
func fates() []Fate {
	return []Fate{Applied, Stale, Failed, Rejected, Late, Superseded, Foreign, Busy, Unknown}
}
