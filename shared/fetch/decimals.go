package fetch

import (
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/rs/zerolog"
)

// The human amount is raw shifted by the decimals that the database has. A wrong number there makes every human amount of the
// token wrong by a power of ten, so the chain is asked once for each token and then daily, before the token's first
// rows are read. What holds:
//
//   - a token of which no node has answered the question gives no values: its rows are endpoint errors and tried elsewhere;
//   - an answer holds until the next one: a question that fails later changes nothing;
//   - a token whose answer is no number from 0 to 255, or that refuses it, cannot be checked: the database is believed, and the
//     token asked again hourly;
//   - a token that says another number than the database has gives values without a human amount (a warning).

// DecimalsAge is how long a token's number holds before it is asked for again; unknownAge how long an answer does that is none: what
// has no code yet may get some.
const (
	DecimalsAge = 24 * time.Hour
	unknownAge  = time.Hour
)

// Said is what a token answered when it was asked for its decimals.
type Said struct {
	Number int
	// Known is false when the answer says nothing that could be checked.
	Known bool
	// At is when it was given.
	At time.Time
}

// ReadDecimals gives what a token says now with what its decimals() returned: the first word when that is a number from 0 to 255.
// Nothing returned is nothing known.
func ReadDecimals(data []byte) Said {
	said := Said{At: time.Now()}
	if len(data) < 32 {
		return said
	}
	word := new(big.Int).SetBytes(data[:32])
	if word.BitLen() > 8 {
		return said
	}
	said.Number, said.Known = int(word.Int64()), true
	return said
}

// stale reports whether the token should be asked again.
func (s Said) stale() bool {
	age := unknownAge
	if s.Known {
		age = DecimalsAge
	}
	return time.Since(s.At) > age
}

// Token names a token, as its family does.
type Token interface {
	comparable
	fmt.Stringer
}

// Decimals is what the tokens of a chain said about their decimals, at whichever endpoint. It lives in memory: what is forgotten is
// asked for again. It may be used concurrently. Its zero value is ready.
type Decimals[T Token] struct {
	mu   sync.Mutex // guards below
	said map[T]Said
}

// Due reports whether a token should be asked now, and whether it never answered.
func (d *Decimals[T]) Due(token T) (due, never bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	said, found := d.said[token]
	return !found || said.stale(), !found
}

// Note remembers what a token said, and holds it against the database: the verdict is match, mismatch or unknown.
func (d *Decimals[T]) Note(token T, said Said, database int, log zerolog.Logger) (verdict string) {
	d.remember(token, said)
	switch {
	case !said.Known:
		return "unknown"
	case said.Number == database:
		return "match"
	}
	log.Warn().Stringer("contract", token).Int("chain_says", said.Number).Int("database_says", database).Msg("decimals differ: the token has no human amounts")
	return "mismatch"
}

func (d *Decimals[T]) remember(token T, said Said) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.said == nil {
		d.said = map[T]Said{}
	}
	d.said[token] = said
}

// Contradicts gives the warning of a value whose token says other decimals than the database; nil as a rule.
func (d *Decimals[T]) Contradicts(token T, database int) *Error {
	if database < 0 || database > 255 {
		return nil // the writer refuses such an asset with an error of its own
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	said := d.said[token]
	if !said.Known || said.Number == database {
		return nil
	}
	return &Error{Class: wire.ClassWarning, Code: wire.CodeDecimalsMismatch, Message: fmt.Sprintf("the token says %d decimals, the database %d", said.Number, database)}
}
