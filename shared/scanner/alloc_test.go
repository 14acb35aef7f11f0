package scanner_test

import (
	"testing"

	"github.com/balance-sync/balance-sync/shared/scanner"
	"github.com/holiman/uint256"
)

// answered is a scan of so many rows as it is in production: half native, half of a token, amounts of every length. The answer
// is what the EVM gave.
func answered(tb testing.TB, count int) ([]scanner.Group, []byte) {
	tb.Helper()
	m, wallets, values := newMachine(tb), holders(count/2), make([]*uint256.Int, count/2)
	for i := range values {
		values[i] = new(uint256.Int).Lsh(uint256.NewInt(uint64(i)), uint(i%90))
		m.fund(wallets[i], values[i])
	}
	m.ledger(contract(0xa6), wallets, values)
	groups := []scanner.Group{scanner.Native(wallets), mustToken(tb, contract(0xa6), wallets)}
	data, err := m.run(scanner.Calldata, encode(tb, 300_000, groups...), budget)
	if err != nil {
		tb.Fatal(err)
	}
	return groups, data
}

// readAll decodes an answer and writes every balance into buffer; it returns how many there were.
func readAll(data []byte, sent int, buffer []byte) (int, error) {
	answer, err := scanner.Decode(data, sent)
	if err != nil {
		return 0, err
	}
	count := 0
	for entry, more := answer.Next(); more; entry, more = answer.Next() {
		if _, ok := entry.AppendDecimal(buffer[:0]); ok {
			count++
		}
	}
	return count, nil
}

func TestNoRowCostsAnAllocationEitherWay(t *testing.T) {
	const count = 1000
	groups, data := answered(t, count)
	input, buffer := make([]byte, 0, 1<<16), make([]byte, 0, 78)
	encoding := testing.AllocsPerRun(20, func() {
		if _, err := scanner.AppendInput(input, 300_000, scanner.Floor(300_000), groups); err != nil {
			t.Error(err)
		}
	})
	decoding := testing.AllocsPerRun(20, func() {
		if read, err := readAll(data, count, buffer); err != nil || read != count {
			t.Errorf("%d rows read of %d: %v", read, count, err)
		}
	})
	grouping := testing.AllocsPerRun(20, func() {
		if _, err := scanner.Token(contract(0xa6), nil); err != nil {
			t.Error(err)
		}
	})
	if encoding != 0 || decoding != 0 || grouping != 0 {
		t.Errorf("allocations: encode %v, decode %v, a group %v", encoding, decoding, grouping)
	}
}

func BenchmarkEncode1000(b *testing.B) {
	groups, _ := answered(b, 1000)
	input := make([]byte, 0, 1<<16)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := scanner.AppendInput(input, 300_000, scanner.Floor(300_000), groups); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode1000(b *testing.B) {
	_, data := answered(b, 1000)
	buffer := make([]byte, 0, 78)
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := readAll(data, 1000, buffer); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkProgram(b *testing.B) {
	for b.Loop() {
		scanner.Program(scanner.ConstructorArbitrum)
	}
}

// What the virtual machine itself costs for 1,000 rows, of which half are a token's.
func BenchmarkEVM1000(b *testing.B) {
	m, wallets := newMachine(b), holders(500)
	m.ledger(contract(0xa6), nil, nil)
	input := encode(b, 300_000, scanner.Native(wallets), mustToken(b, contract(0xa6), wallets))
	for b.Loop() {
		if _, err := m.run(scanner.Calldata, input, budget); err != nil {
			b.Fatal(err)
		}
	}
}
