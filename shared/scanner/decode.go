package scanner

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

const (
	// Version is the first byte of every answer.
	Version = 1
	// HeaderSize is the length of an answer without rows, in bytes.
	HeaderSize = 64
	// MaxRowSize is the most that a row takes, in bytes: its length and 32 bytes of value. No answer is longer than
	// HeaderSize + MaxRowSize a row.
	MaxRowSize = 33
)

var (
	errShort     = errors.New("answer ends within a row")
	errTrailing  = errors.New("answer goes on after its last row")
	errLength    = errors.New("row with a length that the program does not write")
	errStatus    = errors.New("row with a status that the program does not write")
	errCanonical = errors.New("value is not in its shortest form")
)

// Answer is what the program answered: where it ran, and the rows that it got to. It is made by [Decode] and for one
// goroutine.
type Answer struct {
	// ChainID is what CHAINID gives: the chain's EIP-155 id; on TRON the last 4 bytes of the genesis block's id. An id
	// that does not fit 64 bits never gets here: the program then spoils its header.
	ChainID uint64
	// Height is the block that the values belong to, 1 to 2^63-1. On TRON it is a lower bound.
	Height uint64
	// Time is that block's, in seconds since 1970.
	Time uint64
	// Parent is the hash of the block before; zero, and to be checked against nothing, in the Arbitrum forms.
	Parent [32]byte
	// Processed is how many rows there are: the first so many of those sent. The rest was not looked at.
	Processed int

	rows []byte // what Next has not given yet; all of it was checked
}

// Decode reads an answer to an input of so many rows ([Rows]). It takes nothing that the program cannot have written:
// any error means that the endpoint did not run the scanner, or cut its answer, and that no row of it may be used; never
// that a row failed. Who runs it is not checked here: compare ChainID, and Height and Parent where the block is known.
// The answer refers to data. Nothing is allocated.
func Decode(data []byte, sent int) (Answer, error) {
	if len(data) < HeaderSize {
		return Answer{}, fmt.Errorf("decode scan: %d bytes are less than a header", len(data))
	}
	if lead := binary.BigEndian.Uint32(data); lead != Version<<24 {
		return Answer{}, fmt.Errorf("decode scan: header begins with %08x, not with version %d", lead, Version)
	}
	processed := binary.BigEndian.Uint32(data[28:])
	if int64(processed) > int64(sent) {
		return Answer{}, fmt.Errorf("decode scan: %d rows of %d", processed, sent)
	}
	a := Answer{
		ChainID:   binary.BigEndian.Uint64(data[4:]),
		Height:    binary.BigEndian.Uint64(data[12:]),
		Time:      binary.BigEndian.Uint64(data[20:]),
		Parent:    [32]byte(data[32:]),
		Processed: int(processed),
		rows:      data[HeaderSize:],
	}
	if a.Height == 0 || a.Height > math.MaxInt64 {
		return Answer{}, fmt.Errorf("decode scan: height %d orders no value", a.Height)
	}
	rest := a.rows
	for i := range a.Processed {
		_, size, err := parse(rest)
		if err != nil {
			return Answer{}, fmt.Errorf("decode scan, row %d of %d: %w", i, a.Processed, err)
		}
		rest = rest[size:]
	}
	if len(rest) > 0 {
		return Answer{}, fmt.Errorf("decode scan: %w", errTrailing)
	}
	return a, nil
}

// Next gives the next row, in the order in which the holders were sent, and false after the last of [Answer.Processed].
func (a *Answer) Next() (Entry, bool) {
	if len(a.rows) == 0 {
		return Entry{}, false
	}
	e, size, err := parse(a.rows)
	if err != nil { // data was changed after Decode had read it
		a.rows = nil
		return Entry{}, false
	}
	a.rows = a.rows[size:]
	return e, true
}

// parse reads the row that rows begins with, and its size.
func parse(rows []byte) (Entry, int, error) {
	if len(rows) == 0 {
		return Entry{}, 0, errShort
	}
	length := int(rows[0])
	if length >= bitFailure {
		status := Status(length)
		if status.Cause() == 0 {
			return Entry{}, 0, errStatus
		}
		return Entry{Status: status}, 1, nil
	}
	if length != 0 && length != 8 && length != 12 && length != 32 {
		return Entry{}, 0, errLength
	}
	if len(rows) < 1+length {
		return Entry{}, 0, errShort
	}
	e := Entry{Status: Read}
	copy(e.value[32-length:], rows[1:1+length])
	if length != e.length() {
		return Entry{}, 0, errCanonical
	}
	return e, 1 + length, nil
}
