// Package wire is what the services say to each other: subjects, headers, and the two payloads, claims and results.
//
// A message is a batch. Payloads are JSON by columns (parallel arrays; element i of each belongs to row i), about half
// the bytes of JSON by rows, and readable where an operator meets them: in the dead letters. The header [HeaderSchema]
// names the payload's schema and major version; a major version that we do not know is refused with
// [ErrUnknownSchema], never guessed.
package wire

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// Headers of our own. None may start with "Nats-", which the server keeps for itself.
const (
	// HeaderSchema names the payload: [SchemaClaims] or [SchemaResults].
	HeaderSchema = "Bs-Schema"
	// HeaderClaim is the claim's name, so that an operator can follow it without decoding.
	HeaderClaim = "Bs-Claim-Id"
	// HeaderLeaseLeft is how many milliseconds of lease were left when the claim was published, margin deducted.
	HeaderLeaseLeft = "Bs-Lease-Left-Ms"
	// HeaderRows counts the rows of the message.
	HeaderRows = "Bs-Rows"
	// HeaderProducer is service@version/instance of the sender.
	HeaderProducer = "Bs-Producer"
	// HeaderReason, HeaderSubject, HeaderStream, HeaderSequence, HeaderDeliveries and HeaderMsgID describe a dead letter: why, and
	// which message it is a copy of.
	HeaderReason     = "Bs-Dlq-Reason"
	HeaderSubject    = "Bs-Dlq-Subject"
	HeaderStream     = "Bs-Dlq-Stream"
	HeaderSequence   = "Bs-Dlq-Seq"
	HeaderDeliveries = "Bs-Dlq-Deliveries"
	HeaderMsgID      = "Bs-Dlq-Orig-Msg-Id"
)

// The schemas that this version writes and reads.
const (
	SchemaClaims  = "claims/1"
	SchemaResults = "results/1"
)

// Limits of a message.
const (
	// MaxRows is the largest claim. With texts of [MaxText] bytes it still fits one message of 1 MiB.
	MaxRows = 2000
	// MaxText is where a text from the database is cut: longer than any address, so a cut one is still not an address.
	MaxText = 128
	// MaxErrorText is the longest last_error, in characters.
	MaxErrorText = 200
	// MaxPayload is the size above which results are split in parts; half of the server's default limit.
	MaxPayload = 512 << 10
)

// Errors of decoding. A message with one of them is a dead letter: no later try can succeed.
var (
	ErrUnknownSchema = errors.New("unknown schema")
	ErrMalformed     = errors.New("malformed message")
)

// Lane is how a claim travels: the sweep, or the fast lane for new rows and those asked for now.
type Lane string

// The lanes.
const (
	Sweep Lane = "sweep"
	Fast  Lane = "fast"
)

// ClaimSubject is where the claims of a chain and lane are published.
func ClaimSubject(family, chain string, lane Lane) string {
	return "claims." + family + "." + chain + "." + string(lane)
}

// ResultSubject is where the results of a chain are published.
func ResultSubject(family, chain string) string { return "results." + family + "." + chain }

// DeadLetterSubject is where the dead letters of a subject go.
func DeadLetterSubject(subject string) string { return "dlq." + subject }

// ChainOf gives family and chain of a claim's or result's subject; ok is false for any other subject.
func ChainOf(subject string) (family, chain string, ok bool) {
	parts := strings.Split(subject, ".")
	switch {
	case len(parts) == 4 && parts[0] == "claims", len(parts) == 3 && parts[0] == "results":
		return parts[1], parts[2], true
	}
	return "", "", false
}

// ResultID is the Msg-Id of a part of a result. It carries the delivery of the claim, so that a second, better reading
// after a redelivery is not swallowed as a duplicate of the first.
func ResultID(claim string, delivery uint64, part int) string {
	return fmt.Sprintf("%s:%d:%d", claim, delivery, part)
}

// Asset is a token or native coin on a chain, as balance_sync_assets has it.
type Asset struct {
	ID uuid.UUID `json:"id"`
	// Contract is the token's address, "" for the native coin.
	Contract string `json:"contract,omitempty"`
	Decimals int    `json:"decimals"`
	Native   bool   `json:"native,omitempty"`
}

// checkSchema compares the major version of a schema header with the one that we read.
func checkSchema(header, want string) error {
	if major, _, _ := strings.Cut(header, "."); major != want {
		return fmt.Errorf("%w %q, this version reads %s", ErrUnknownSchema, header, want)
	}
	return nil
}
