package scanner

import "fmt"

// Status is how a row ended: [Read], or the status byte of the program. The zero Status is no outcome at all.
type Status byte

const (
	// Read is the status of a row that has a value. It is not on the wire.
	Read Status = 1
	// Reverted: the call failed, with gas to spare.
	Reverted Status = 0x80
	// ShortReturn: the call succeeded and returned fewer than 32 bytes, so it is no balance.
	ShortReturn Status = 0x81
	// NoCode: there is no contract at the token's address in this block.
	NoCode Status = 0x83
	// Burnt: the call failed and took all the gas that it was given: an endless loop, an invalid opcode, a write (which
	// a static call forbids), more memory than it could pay for; or a good token that needs more than callGas.
	Burnt Status = 0x84
)

// The bits of a status byte. The program sets them one by one, so all eight sums occur.
const (
	bitFailure   = 0x80
	bitSucceeded = 0x01
	bitNoCode    = 0x02
	bitBurnt     = 0x04
	bitsKnown    = bitFailure | bitSucceeded | bitNoCode | bitBurnt
)

// Failed reports that the row has no value.
func (s Status) Failed() bool { return s != Read }

// Cause gives the one of [Read], [Reverted], [ShortReturn], [NoCode] and [Burnt] that a status comes down to. Where
// several hold, that there is no code comes first, then that the gas is gone: a call that burnt its gas may be good with
// more of it, whatever it returned. It is 0 for what is no status.
func (s Status) Cause() Status {
	switch {
	case s == Read:
		return Read
	case s&bitFailure == 0 || s&^bitsKnown != 0:
		return 0
	case s&bitNoCode != 0:
		return NoCode
	case s&bitBurnt != 0:
		return Burnt
	case s&bitSucceeded != 0:
		return ShortReturn
	}
	return Reverted
}

// String names the cause.
func (s Status) String() string {
	switch s.Cause() {
	case Read:
		return "read"
	case Reverted:
		return "reverted"
	case ShortReturn:
		return "short return"
	case NoCode:
		return "no code"
	case Burnt:
		return "gas burnt"
	}
	return fmt.Sprintf("status %#02x", byte(s))
}
