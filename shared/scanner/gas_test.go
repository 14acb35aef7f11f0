package scanner_test

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/balance-sync/balance-sync/shared/scanner"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/params"
	"github.com/holiman/uint256"
)

// tally is what came of a scan under many budgets.
type tally struct{ good, wronglyFailed, wholeCalls, least, most int }

// squeeze scans rows of a token that tolerates no gas less than callGas under many budgets from 200,000 upwards, and counts.
func (m *machine) squeeze(form scanner.Form, callGas, floorGas uint32, budgets uint64) tally {
	m.t.Helper()
	const sent, low, most = 60, 200_000, 1_000_000
	step := most / budgets
	groups := []scanner.Group{mustToken(m.t, contract(0xbb), holders(sent))}
	input := encode(m.t, callGas, groups...)
	binary.BigEndian.PutUint32(input[4:], floorGas) // below the floor too, which the encoder refuses
	m.deploy(contract(0xbb), heavy(callGas))
	sum := tally{least: sent}
	for i := range budgets {
		data, err := m.run(form, input, low+i*step)
		if errors.Is(err, vm.ErrOutOfGas) || errors.Is(err, vm.ErrCodeStoreOutOfGas) {
			sum.wholeCalls++
			continue
		}
		if err != nil {
			m.t.Fatalf("budget %d: %v", low+i*step, err)
		}
		answer, err := scanner.Decode(data, sent)
		if err != nil {
			m.t.Fatalf("budget %d: %v", low+i*step, err)
		}
		sum.least, sum.most = min(sum.least, answer.Processed), max(sum.most, answer.Processed)
		for entry, more := answer.Next(); more; entry, more = answer.Next() {
			if entry.Status.Failed() {
				sum.wronglyFailed++
			} else {
				sum.good++
			}
		}
	}
	return sum
}

// A row is begun only with gas for all of it: short of gas, the answer is a prefix, in which no good row is failed.
func TestNoBudgetFailsAGoodRow(t *testing.T) {
	const callGas = 300_000
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.arbSys(arbBlockNumber(height))
			floor := scanner.Floor(callGas)
			if form == scanner.Constructor || form == scanner.ConstructorArbitrum {
				floor += scanner.FloorDeposit(60)
			}
			got := m.squeeze(form, callGas, floor, 249)
			if got.wronglyFailed != 0 || got.wholeCalls != 0 || got.least != 0 || got.most < 2 || got.good < 50 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// The test above can fail: with a floor of no more than the call's gas, it does.
func TestAFloorOfTheCallsGasAloneFailsGoodRows(t *testing.T) {
	const callGas = 300_000
	if got := newMachine(t).squeeze(scanner.Calldata, callGas, callGas, 249); got.wronglyFailed == 0 {
		t.Errorf("%+v", got)
	}
}

// Without the deposit in its floor, the constructor that returns loses whole calls, but still fails no row.
func TestAConstructorWithoutTheDepositInItsFloorFailsWholeAndNoRow(t *testing.T) {
	m := newMachine(t)
	// The token answers at once, so that the rows use the budget up to the floor, and the answer is long.
	const sent = 700
	m.deploy(contract(0xa6), returns(new(uint256.Int).SetAllOne(), 32))
	groups := []scanner.Group{mustToken(t, contract(0xa6), holders(sent))}
	whole, prefixes := 0, 0
	for _, deposit := range []uint32{0, scanner.FloorDeposit(sent)} {
		input, err := scanner.AppendInput(nil, 50_000, scanner.Floor(50_000)+deposit, groups)
		if err != nil {
			t.Fatal(err)
		}
		for _, rows := range []uint64{50, 100, 200} {
			data, err := m.run(scanner.Constructor, input, uint64(deposit)+100_000+rows*1_000)
			if errors.Is(err, vm.ErrCodeStoreOutOfGas) && deposit == 0 {
				whole++
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			answer, err := scanner.Decode(data, sent)
			if err != nil {
				t.Fatal(err)
			}
			if answer.Processed > 0 && answer.Processed < sent {
				prefixes++
			}
			for entry, more := answer.Next(); more; entry, more = answer.Next() {
				if entry.Status.Failed() {
					t.Fatalf("%d rows processed, one %s", answer.Processed, entry.Status)
				}
			}
		}
	}
	if whole != 3 || prefixes != 3 {
		t.Errorf("%d whole calls failed without the deposit, %d prefixes with it", whole, prefixes)
	}
}

func TestTheTailSentAgainCompletesAScan(t *testing.T) {
	m := newMachine(t)
	const total = 200
	var want, got []string
	for i, h := range holders(total) {
		m.fund(h, uint256.NewInt(uint64(i)))
		want = append(want, uint256.NewInt(uint64(i)).Dec())
	}
	requests := 0
	for rest := holders(total); len(rest) > 0; requests++ {
		data, err := m.run(scanner.Calldata, encode(t, 100_000, scanner.Native(rest)), 300_000)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := scanner.Decode(data, len(rest))
		if err != nil {
			t.Fatal(err)
		}
		if answer.Processed == 0 {
			t.Fatal("no progress")
		}
		got, rest = append(got, rows(answer)...), rest[answer.Processed:]
	}
	if !slices.Equal(got, want) || requests < 2 {
		t.Errorf("%d requests: %q", requests, got)
	}
}

// Gas prices change from fork to fork, and opcodes come; the program has to run, and its floor to hold, on chains at any of them.
func TestTheProgramAndItsFloorHoldOnEveryForkSinceIstanbul(t *testing.T) {
	newest := *params.MergedTestChainConfig
	forks := []struct {
		name string
		make func(*params.ChainConfig)
	}{
		{"Amsterdam", func(c *params.ChainConfig) { c.AmsterdamTime = new(uint64) }},
		{"Osaka", func(c *params.ChainConfig) { c.AmsterdamTime = nil }},
		{"Prague", func(c *params.ChainConfig) { c.OsakaTime = nil }},
		{"Cancun", func(c *params.ChainConfig) { c.PragueTime = nil }},
		{"Shanghai", func(c *params.ChainConfig) { c.CancunTime = nil }},
		{"London", func(c *params.ChainConfig) { c.ShanghaiTime = nil }},
		{"Berlin", func(c *params.ChainConfig) { c.LondonBlock = nil }},
		{"Istanbul", func(c *params.ChainConfig) { c.BerlinBlock = nil }},
	}
	for _, fork := range forks {
		fork.make(&newest) // each but the first is the one before, less one fork
		for name, form := range map[string]scanner.Form{"calldata": scanner.Calldata, "constructor": scanner.ConstructorRevert} {
			rules := newest
			t.Run(fork.name+", "+name, func(t *testing.T) {
				m := newMachine(t)
				rules.ChainID = m.rules.ChainID
				m.rules = rules
				m.ledger(contract(0xa6), holders(len(amounts())), amounts())
				var want []string
				for _, v := range amounts() {
					want = append(want, v.Dec())
				}
				if got := rows(m.scan(form, 300_000, mustToken(t, contract(0xa6), holders(len(want))))); !slices.Equal(got, want) {
					t.Errorf("rows %q", got)
				}
				if got := m.squeeze(form, 300_000, scanner.Floor(300_000), 41); got.wronglyFailed != 0 || got.wholeCalls != 0 || got.good == 0 {
					t.Errorf("%+v", got)
				}
			})
		}
	}
}
