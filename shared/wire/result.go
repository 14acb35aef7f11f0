package wire

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Class says whose fault an error is, and so what it costs the row.
type Class string

// The classes of an error in a result.
const (
	// ClassWarning comes with a value: raw and height are stored, the human amount is not.
	ClassWarning Class = "warning"
	// ClassRow is the row's or its token's fault: error_count rises and the row backs off.
	ClassRow Class = "row"
	// ClassEndpoint is the nodes' fault: error_count stays and the row is due again soon.
	ClassEndpoint Class = "endpoint"
)

// Codes of errors, the first word of last_error. They are stable: operators filter and alert by them.
const (
	CodeBadAddress      = "bad_address"      // row: not an address of this family
	CodeBadToken        = "bad_token"        // row: not a contract address, or none for a non-native asset
	CodeBadDecimals     = "bad_decimals"     // row: decimals outside 0 to 255
	CodeNoContract      = "no_contract"      // row: no code at the token's address
	CodeReverted        = "reverted"         // row: the token's balanceOf reverted
	CodeEmptyReturn     = "empty_return"     // row: the call succeeded and returned nothing
	CodeShortReturn     = "short_return"     // row: fewer than 32 bytes
	CodeGasExceeded     = "gas_exceeded"     // row: balanceOf burnt its whole gas allowance
	CodeInternal        = "internal"         // row: our own panic
	CodeUndeliverable   = "undeliverable"    // row: the claim killed its readers
	CodeRejected        = "rejected"         // row: Postgres refused the value
	CodeUnreachable     = "unreachable"      // endpoint: no node answered in time
	CodeLagging         = "lagging"          // endpoint: the node lacks the block
	CodeRateLimited     = "rate_limited"     // endpoint: over the provider's limit
	CodeWrongChain      = "wrong_chain"      // endpoint: the node is of another chain
	CodeBadReply        = "bad_reply"        // endpoint: the answer is not what was asked for
	CodeHeightRefused   = "height_refused"   // endpoint: the height is above what the chain can have reached
	CodeAssetChanged    = "asset_changed"    // endpoint: contract or decimals changed since the claim
	CodeMalformedResult = "malformed_result" // endpoint: raw is not a uint256, or a value has no height
)

// CodeDecimalsMismatch is a warning: the token's decimals() is not what the database says, so no human amount can be right.
const CodeDecimalsMismatch = "decimals_mismatch"

// Result is what one reading found: some or all rows of a claim, at one block of one endpoint. IDs, Wallets, AssetOf,
// Epochs and Raw are parallel. A row has a value (Raw), an error (in Errors), or both when the class is warning.
// It needs no claim to be applied, so that it can be replayed.
type Result struct {
	Claim  string `json:"claim"`
	Family string `json:"family"`
	Chain  string `json:"chain"`
	// Endpoint is the alias of the node that answered, Route the way it was asked.
	Endpoint string `json:"endpoint,omitempty"`
	Route    string `json:"route,omitempty"`
	// Height and Parent prove where the values stand; both absent when the message has no value.
	Height   int64  `json:"height,omitempty"`
	Parent   string `json:"parent,omitempty"`
	Finality string `json:"finality,omitempty"`
	// ObservedAt is the fetcher's clock when the read started. The writer trusts it no further than the message's own timestamp.
	ObservedAt time.Time `json:"observed_at"`
	// Tip is the height that Agree endpoints of the pool have reached.
	Tip   int64 `json:"tip,omitempty"`
	Agree int   `json:"agree,omitempty"`

	Assets  []Asset     `json:"assets"`
	IDs     []uuid.UUID `json:"ids"`
	Wallets []uuid.UUID `json:"wallets"`
	AssetOf []int       `json:"asset"`
	Epochs  []int32     `json:"epochs"`
	// Raw is the balance as a canonical uint256, "" where there is none.
	Raw    []string   `json:"raw"`
	Errors []RowError `json:"errors,omitempty"`
}

// RowError is the error of the row with index Row.
type RowError struct {
	Row     int    `json:"row"`
	Class   Class  `json:"class"`
	Code    string `json:"code"`
	Message string `json:"message,omitempty"`
}

// Text is the error as last_error stores it: the code, and the cleaned message after a colon.
func (e RowError) Text() string {
	if e.Message == "" {
		return CleanError(e.Code)
	}
	return CleanError(e.Code + ": " + e.Message)
}

// DecodeResult reads a result and checks that it is whole: columns of equal length, indexes in range, known classes, at most one error
// a row, each row with a value or an error. It does not judge values: what a row's value is worth is the writer's decision, row by row.
// Errors wrap [ErrUnknownSchema] or [ErrMalformed].
func DecodeResult(schema string, data []byte) (*Result, error) {
	if err := checkSchema(schema, SchemaResults); err != nil {
		return nil, err
	}
	var r Result
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	n := len(r.IDs)
	if r.Claim == "" || n == 0 || n > MaxRows || len(r.Wallets) != n || len(r.AssetOf) != n || len(r.Epochs) != n || len(r.Raw) != n {
		return nil, fmt.Errorf("%w: result of claim %q with columns of %d, %d, %d, %d and %d rows", ErrMalformed,
			r.Claim, n, len(r.Wallets), len(r.AssetOf), len(r.Epochs), len(r.Raw))
	}
	if err := checkAssetIndexes(r.AssetOf, len(r.Assets)); err != nil {
		return nil, err
	}
	return &r, r.checkErrors()
}

func (r *Result) checkErrors() error {
	failed := make([]bool, len(r.IDs))
	for _, e := range r.Errors {
		if e.Row < 0 || e.Row >= len(failed) || failed[e.Row] || e.Code == "" {
			return fmt.Errorf("%w: error %q of row %d", ErrMalformed, e.Code, e.Row)
		}
		failed[e.Row] = true
		switch hasValue := r.Raw[e.Row] != ""; {
		case e.Class == ClassWarning && hasValue, (e.Class == ClassRow || e.Class == ClassEndpoint) && !hasValue:
		default:
			return fmt.Errorf("%w: row %d has class %q and value %t", ErrMalformed, e.Row, e.Class, hasValue)
		}
	}
	for row, raw := range r.Raw {
		if raw == "" && !failed[row] {
			return fmt.Errorf("%w: row %d has neither a value nor an error", ErrMalformed, row)
		}
	}
	return nil
}
