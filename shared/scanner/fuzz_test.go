package scanner_test

import (
	"bytes"
	"testing"

	"github.com/balance-sync/balance-sync/shared/scanner"
)

// rewrite writes an answer's rows as the program would.
func rewrite(data []byte, answer scanner.Answer) ([]byte, int) {
	out, count := bytes.Clone(data[:scanner.HeaderSize]), 0
	for entry, more := answer.Next(); more; entry, more = answer.Next() {
		count++
		value, ok := entry.Value()
		if !ok {
			out = append(out, byte(entry.Status))
			continue
		}
		digits := bytes.TrimLeft(value[:], "\x00")
		for _, length := range []int{0, 8, 12, 32} {
			if len(digits) <= length {
				out = append(append(out, byte(length)), value[32-length:]...)
				break
			}
		}
	}
	return out, count
}

// What is decoded is, byte for byte, what the program writes for the rows that come out; with a byte more or less it is refused.
func FuzzDecode(f *testing.F) {
	f.Add(written(8, zero, one, most8, reverted, least12, most12, least32, most32), 8)
	f.Add(fields(f, reply(f, "scanner-mix-revert"), 3)[0], 9)
	f.Add(written(0), 0)
	f.Add(written(3, one, "83"), 3)
	f.Add(written(1, one, one), 2)
	f.Add(written(1<<32-1, zero), -1)
	f.Add(written(1, "080000000000000000"), 1)
	f.Fuzz(func(t *testing.T, data []byte, sent int) {
		answer, err := scanner.Decode(data, sent)
		if err != nil {
			return
		}
		if answer.Processed > sent || answer.Height == 0 {
			t.Fatalf("%d rows of %d at height %d", answer.Processed, sent, answer.Height)
		}
		again, count := rewrite(data, answer)
		if count != answer.Processed || !bytes.Equal(again, data) {
			t.Fatalf("%d rows of %d:\n%x\nwritten again:\n%x", count, answer.Processed, data, again)
		}
		if _, err := scanner.Decode(data[:len(data)-1], sent); err == nil {
			t.Fatal("decoded without its last byte")
		}
		if _, err := scanner.Decode(append(data[:len(data):len(data)], 0), sent); err == nil {
			t.Fatal("decoded with a byte after it")
		}
	})
}

// Whatever is sent to a scanner at the override address, its answer is decoded or the call fails: there is nothing in between.
func FuzzInputIsAnswered(f *testing.F) {
	f.Add(encode(f, 300_000, scanner.Native(holders(2))))
	f.Add(encode(f, 300_000, mustToken(f, contract(0xa6), holders(2)), scanner.Native(holders(1))))
	f.Add(encode(f, 300_000, scanner.Native(holders(2)))[:31])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, input []byte) {
		m := newMachine(t)
		m.deploy(contract(0xa6), returns(7, 32))
		data, err := m.run(scanner.Calldata, input, 3_000_000)
		if err != nil {
			return
		}
		if _, err := scanner.Decode(data, len(input)+22<<16); err != nil {
			t.Fatalf("%v: %x", err, data)
		}
	})
}
