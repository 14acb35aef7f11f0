package scanner_test

import (
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/shared/scanner"
	"pgregory.net/rapid"
)

// written is an answer put together by hand: a header and rows given in hex.
func written(processed uint32, rows ...string) []byte {
	data := make([]byte, scanner.HeaderSize)
	data[0] = scanner.Version
	binary.BigEndian.PutUint64(data[4:], chainID)
	binary.BigEndian.PutUint64(data[12:], height)
	binary.BigEndian.PutUint64(data[20:], blockTime)
	binary.BigEndian.PutUint32(data[28:], processed)
	data[32], data[63] = 0xab, 0xcd
	more, err := hex.DecodeString(strings.Join(rows, ""))
	if err != nil {
		panic(err)
	}
	return append(data, more...)
}

// Rows as the program writes them.
const (
	zero     = "00"
	one      = "080000000000000001"
	most8    = "08ffffffffffffffff"
	least12  = "0c000000010000000000000000"
	most12   = "0cffffffffffffffffffffffff"
	least32  = "20" + "00000000000000000000000000000000000000010000000000000000" + "00000000"
	most32   = "20ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	reverted = "80"
)

func TestAnAnswerIsDecodedFieldByField(t *testing.T) {
	answer, err := scanner.Decode(written(8, zero, one, most8, reverted, least12, most12, least32, most32), 9)
	if err != nil {
		t.Fatal(err)
	}
	if answer.ChainID != chainID || answer.Height != height || answer.Time != blockTime || answer.Processed != 8 ||
		answer.Parent != [32]byte{0: 0xab, 31: 0xcd} {
		t.Errorf("header %+v", answer)
	}
	want := "0 1 18446744073709551615 reverted 18446744073709551616 79228162514264337593543950335 79228162514264337593543950336 " +
		"115792089237316195423570985008687907853269984665640564039457584007913129639935"
	if got := strings.Join(rows(answer), " "); got != want {
		t.Errorf("rows\n%s, want\n%s", got, want)
	}
}

func TestWhatTheProgramCannotHaveWrittenIsNoAnswer(t *testing.T) {
	with := func(at int, b byte) []byte {
		data := written(1, one)
		data[at] = b
		return data
	}
	noHeight := written(1, one)
	binary.BigEndian.PutUint64(noHeight[12:], 0)
	tests := map[string]struct {
		data []byte
		sent int
	}{
		"nothing":                                {nil, 1},
		"a balanceOf's answer":                   {make([]byte, 32), 1},
		"half a header":                          {written(0)[:63], 1},
		"zeros":                                  {make([]byte, 64), 1},
		"version 0":                              {with(0, 0), 1},
		"version 2":                              {with(0, 2), 1},
		"a byte in the first gap":                {with(1, 1), 1},
		"a byte in the last gap":                 {with(3, 1), 1},
		"more rows than were sent":               {written(2, one, one), 1},
		"rows though none were sent":             {written(1, one), 0},
		"a count that is negative in 32 bits":    {written(1<<31, one), 1},
		"rows of a negative question":            {written(0), -1},
		"height 0":                               {noHeight, 1},
		"height 2^63":                            {with(12, 0x80), 1},
		"fewer rows than counted":                {written(2, one), 2},
		"a value cut short":                      {written(1, one[:16]), 1},
		"a length without its value":             {written(1, "20"), 1},
		"a row more than counted":                {written(1, one, one), 2},
		"a byte after the last row":              {written(1, one, zero), 2},
		"a byte after an empty answer":           {written(0, zero), 1},
		"length 1":                               {written(1, "0101"), 1},
		"length 16":                              {written(1, "10"+strings.Repeat("ff", 16)), 1},
		"length 33":                              {written(1, "21"+strings.Repeat("ff", 33)), 1},
		"length 127":                             {written(1, "7f"+strings.Repeat("ff", 127)), 1},
		"status 0x88":                            {written(1, "88"), 1},
		"status 0xff":                            {written(1, "ff"), 1},
		"0 in 8 bytes":                           {written(1, "080000000000000000"), 1},
		"0 in 32 bytes":                          {written(1, "20"+strings.Repeat("00", 32)), 1},
		"8 bytes in 12":                          {written(1, "0c00000000ffffffffffffffff"), 1},
		"8 bytes in 32":                          {written(1, "20"+strings.Repeat("00", 24)+"0000000000000001"), 1},
		"12 bytes in 32":                         {written(1, "20"+strings.Repeat("00", 20)+"ffffffffffffffffffffffff"), 1},
		"a good row, then one in too many bytes": {written(2, one, "080000000000000000"), 2},
	}
	for name, tt := range tests {
		if answer, err := scanner.Decode(tt.data, tt.sent); err == nil {
			t.Errorf("%s: decoded as %+v, rows %q", name, answer, rows(answer))
		}
	}
	if _, err := scanner.Decode(written(1, one), 1); err != nil {
		t.Fatalf("the answer that these were made from: %v", err)
	}
}

func TestEveryCutAndEveryAdditionalByteOfAnAnswerIsRefused(t *testing.T) {
	data := written(8, zero, one, most8, reverted, least12, most12, least32, most32)
	for size := range data {
		if _, err := scanner.Decode(data[:size], 8); err == nil {
			t.Errorf("the first %d bytes of %d were decoded", size, len(data))
		}
	}
	for b := range 256 {
		if _, err := scanner.Decode(append(data[:len(data):len(data)], byte(b)), 9); err == nil {
			t.Errorf("an answer with %#02x after it was decoded", b)
		}
	}
}

// Every status byte and the zero Status: none has a value, and those that the program does not write have no cause.
func TestNoStatusButReadEverYieldsAValue(t *testing.T) {
	for b := range 256 {
		status := scanner.Status(b)
		entry := scanner.Entry{Status: status}
		_, hasValue := entry.Value()
		text, hasText := entry.AppendDecimal([]byte("kept"))
		if read := status == scanner.Read; hasValue != read || hasText != read || status.Failed() == read || !read && string(text) != "kept" {
			t.Errorf("status %#02x: value %t, text %q %t", b, hasValue, text, hasText)
		}
		known := status == scanner.Read || b >= 0x80 && b <= 0x87
		if (status.Cause() != 0) != known {
			t.Errorf("status %#02x has cause %#02x", b, byte(status.Cause()))
		}
		if b < 0x80 {
			continue
		}
		answer, err := scanner.Decode(written(1, hex.EncodeToString([]byte{byte(b)})), 1)
		if (err == nil) != known {
			t.Errorf("status %#02x: %v", b, err)
		}
		if got, more := answer.Next(); more != known || more && got.Status != status {
			t.Errorf("status %#02x came as %#02x", b, byte(got.Status))
		}
	}
	if got := scanner.Status(0x99).String(); got != "status 0x99" {
		t.Errorf("unknown status is %q", got)
	}
}

// The oracle is math/big, for uint256 of every length.
func TestAppendDecimalWritesWhatMathBigWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, "value"))
		if rapid.Bool().Draw(t, "round") { // powers of ten, where zeros must not be lost
			value.Exp(big.NewInt(10), big.NewInt(rapid.Int64Range(0, 77).Draw(t, "exponent")), nil)
		}
		length := 32
		for _, shorter := range []int{12, 8, 0} {
			if value.BitLen() <= 8*shorter {
				length = shorter
			}
		}
		row := append([]byte{byte(length)}, value.FillBytes(make([]byte, length))...)
		answer, err := scanner.Decode(written(1, hex.EncodeToString(row)), 1)
		if err != nil {
			t.Fatal(err)
		}
		entry, _ := answer.Next()
		if text, ok := entry.AppendDecimal([]byte("raw ")); !ok || string(text) != "raw "+value.String() {
			t.Fatalf("%s came as %s", value, text)
		}
		if got, ok := entry.Value(); !ok || new(big.Int).SetBytes(got[:]).Cmp(value) != 0 {
			t.Fatalf("%s came as %x", value, got)
		}
	})
}

// The answer refers to the caller's buffer. One that is overwritten in between ends the rows; it does not panic.
func TestABufferThatChangesAfterDecodeEndsTheRows(t *testing.T) {
	data := written(2, one, one)
	answer, err := scanner.Decode(data, 2)
	if err != nil {
		t.Fatal(err)
	}
	data[scanner.HeaderSize] = 0x7f
	for range 2 {
		if entry, more := answer.Next(); more || entry.Status != 0 {
			t.Errorf("row %+v", entry)
		}
	}
}
