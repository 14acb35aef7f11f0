package scanner_test

import (
	"slices"
	"testing"

	"github.com/balance-sync/balance-sync/shared/scanner"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/holiman/uint256"
)

// weird are tokens that misbehave, with the status byte that each must give, or the value where it has one.
var weird = []struct {
	name    string
	code    []byte
	callGas uint32
	status  scanner.Status
	cause   scanner.Status
	value   string
}{
	{"reverts", reverts(0), 300_000, 0x80, scanner.Reverted, ""},
	{"reverts with 100 kB", reverts(100_000), 300_000, 0x80, scanner.Reverted, ""},
	{"reverts with 2 MB", reverts(2 << 20), 300_000, 0x84, scanner.Burnt, ""},
	{"returns nothing", code().Op(vm.STOP).Bytes(), 300_000, 0x81, scanner.ShortReturn, ""},
	{"returns 31 bytes", returns(new(uint256.Int).SetAllOne(), 31), 300_000, 0x81, scanner.ShortReturn, ""},
	{"returns nothing, with little gas", code().Op(vm.STOP).Bytes(), 1_000, 0x85, scanner.Burnt, ""},
	{"has no code", nil, 300_000, 0x83, scanner.NoCode, ""},
	{"has no code, with little gas", nil, 1_000, 0x87, scanner.NoCode, ""},
	{"loops for ever", loops(), 300_000, 0x84, scanner.Burnt, ""},
	{"has an invalid opcode", code().Op(vm.INVALID).Bytes(), 300_000, 0x84, scanner.Burnt, ""},
	{"writes its state", code().Sstore(1, 1).Append(returns(3, 32)).Bytes(), 300_000, 0x84, scanner.Burnt, ""},
	{"delegates to itself", delegatesToItself(), 300_000, 0x80, scanner.Reverted, ""},
	{"returns 1 MB", returns(7, 1<<20), 300_000, 0x84, scanner.Burnt, ""},
	{"returns 64 bytes", returns(7, 64), 300_000, scanner.Read, scanner.Read, "7"},
	{"returns all that its gas buys", returnsWhatItsGasBuys(), 300_000, scanner.Read, scanner.Read, "5"},
	{"returns the largest number", returns(new(uint256.Int).SetAllOne(), 32), 300_000, scanner.Read, scanner.Read, new(uint256.Int).SetAllOne().Dec()},
	{"needs 260,000 gas", heavy(300_000), 300_000, scanner.Read, scanner.Read, "42"},
	{"needs 260,000 gas and gets 200,000", heavy(200_000), 200_000, 0x84, scanner.Burnt, ""},
}

// Each weird token stands between good rows, whose values must be right, in every form.
func TestAWeirdTokenIsItsOwnRowsStatusAndNoNeighbours(t *testing.T) {
	for name, form := range forms {
		for _, w := range weird {
			t.Run(name+", token that "+w.name, func(t *testing.T) {
				m := newMachine(t)
				m.arbSys(arbBlockNumber(height))
				m.ledger(contract(0xa6), holders(2), []*uint256.Int{uint256.NewInt(11), uint256.NewInt(22)})
				m.fund(holder(0), uint256.NewInt(33))
				if w.code != nil {
					m.deploy(contract(0xbb), w.code)
				}
				good := mustToken(t, contract(0xa6), holders(2))
				answer := m.scan(form, w.callGas, good, mustToken(t, contract(0xbb), holders(1)), scanner.Native(holders(1)), good)
				var entries []scanner.Entry
				for entry, more := answer.Next(); more; entry, more = answer.Next() {
					entries = append(entries, entry)
				}
				if len(entries) != 6 {
					t.Fatalf("%d rows of 6", len(entries))
				}
				got, odd := rows(m.scan(form, w.callGas, good, scanner.Native(holders(1)), good)), entries[2]
				if w.callGas >= 100_000 && !slices.Equal(got, []string{"11", "22", "33", "11", "22"}) {
					t.Errorf("without the weird token: %q", got)
				}
				for i, e := range slices.Delete(slices.Clone(entries), 2, 3) {
					if text, ok := e.AppendDecimal(nil); w.callGas >= 100_000 && (!ok || string(text) != got[i]) {
						t.Errorf("good row %d: %s %s", i, text, e.Status)
					}
				}
				text, ok := odd.AppendDecimal(nil)
				if odd.Status != w.status || odd.Status.Cause() != w.cause || string(text) != w.value || ok != (w.status == scanner.Read) {
					t.Errorf("status %#x (%s), value %q %t", byte(odd.Status), odd.Status, text, ok)
				}
				if value, ok := odd.Value(); ok != (w.status == scanner.Read) || !ok && value != [32]byte{} {
					t.Errorf("value %x %t", value, ok)
				}
			})
		}
	}
}

// A precompile has no code, and one that fails burns its gas: the one status that no contract gives.
func TestAPrecompileThatFailsHasNoCode(t *testing.T) {
	m := newMachine(t)
	answer := m.scan(scanner.Calldata, 300_000, mustToken(t, scanner.Address{19: 6}, holders(1)))
	entry, _ := answer.Next()
	if entry.Status != 0x86 || entry.Status.Cause() != scanner.NoCode {
		t.Errorf("status %#x, %s", byte(entry.Status), entry.Status)
	}
}

func TestOneScanHoldsEveryWeirdTokenAtOnce(t *testing.T) {
	m := newMachine(t)
	var groups []scanner.Group
	var want []string
	for i, w := range weird {
		if w.callGas != 300_000 {
			continue
		}
		address := scanner.Address{0: 0xbb, 19: byte(i)}
		if w.code != nil {
			m.deploy(address, w.code)
		}
		groups = append(groups, mustToken(t, address, holders(1)))
		if w.status == scanner.Read {
			want = append(want, w.value)
		} else {
			want = append(want, w.cause.String())
		}
	}
	if got := rows(m.scan(scanner.ConstructorRevert, 300_000, groups...)); !slices.Equal(got, want) {
		t.Errorf("rows\n%q, want\n%q", got, want)
	}
}
