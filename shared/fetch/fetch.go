// Package fetch is the loop that every fetcher runs, whatever its chains: claim in, rows read, results out, ack.
//
// What becomes of a claim:
//
//	          ┌── expired ────────────────────────────► ack (dropped before any call is spent)
//	          ├── undecodable ────────────────────────► dead letter, term
//	claim ────┼── no reader died: read whole ─┐
//	          ├── one did: pieces of 25 rows ─┼──────► results, then ack
//	          └── two did: reads nothing ─────┘        (two: every row undeliverable, and a copy to the dead letters)
//
// A claim is always answered. Rows that nodes could not serve are tried again until the deadline, then answered with endpoint
// errors, so that their leases are freed. A redelivery after AckWait therefore means that a process died, and the pieces find out whether
// one of the rows kills it; one that comes sooner was handed back by a process that stopped. A crash anywhere leaves the claim to the broker, which delivers it again; a result published
// twice changes nothing.
//
// [Fetcher] is the frame around it: the broker's connection, the checks of the nodes, and a loop for each chain.
package fetch

import (
	"context"
	"time"

	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/uuid"
)

// Row is a balance to read: the amount of Asset that Address holds.
type Row struct {
	ID, Wallet uuid.UUID
	Address    string
	Asset      wire.Asset
	Epoch      int32
}

// Proof says where values stand. Rows of one reading share one Proof, by pointer. A value does not leave the fetcher without the
// endpoint, the height and the time.
type Proof struct {
	// Endpoint is the alias of the node that answered, Route the way it was asked.
	Endpoint, Route string
	// Height and Parent identify the block; Finality is how it was chosen.
	Height   int64
	Parent   string
	Finality string
	// ObservedAt is when the read started.
	ObservedAt time.Time
	// Tip is the height that Agree endpoints of the pool have reached.
	Tip   int64
	Agree int
}

// Outcome is what became of one row: a value (Raw and Proof), a value with a warning (Raw, Proof and Err of class
// warning), a row error (Err of class row), or a try that the nodes failed (Err of class endpoint), which is tried again.
type Outcome struct {
	// Raw is the balance as a canonical uint256.
	Raw   string
	Proof *Proof
	Err   *Error
}

// Error is why a row has no value, or what is wrong with the one that it has.
type Error struct {
	Class wire.Class
	Code  string
	// Message is for people; secrets are scrubbed and the length is cut on the way out.
	Message string
}

// RowError gives the outcome of a row that is at fault itself, or whose token is.
func RowError(code, message string) Outcome {
	return Outcome{Err: &Error{Class: wire.ClassRow, Code: code, Message: message}}
}

// EndpointError gives the outcome of a row that the nodes failed: it is tried again, elsewhere if there is an elsewhere.
func EndpointError(code, message string) Outcome {
	return Outcome{Err: &Error{Class: wire.ClassEndpoint, Code: code, Message: message}}
}

// Reader reads balances of one chain. Read makes one try and gives one outcome per row: same index, same length.
// It never waits for a node to recover: retrying is the loop's part, choosing another endpoint the Reader's. It prefers
// endpoints that have reached height atLeast. It must return soon after ctx ends. It may be called concurrently.
type Reader interface {
	Read(ctx context.Context, rows []Row, atLeast int64) []Outcome
}

// rowsOf gives the rows of a claim.
func rowsOf(c *wire.Claim) []Row {
	rows := make([]Row, len(c.IDs))
	for i := range rows {
		rows[i] = Row{ID: c.IDs[i], Wallet: c.Wallets[i], Address: c.Addresses[i], Asset: c.Assets[c.AssetOf[i]], Epoch: c.Epochs[i]}
	}
	return rows
}
