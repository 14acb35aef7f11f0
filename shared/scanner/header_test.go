package scanner_test

import (
	"math/big"
	"testing"

	"github.com/balance-sync/balance-sync/shared/scanner"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/holiman/uint256"
)

// A chain whose id has the low bits of ours must not pass for it.
func TestAChainWhoseIdDoesNotFitIsNeverTakenForAnother(t *testing.T) {
	ours := big.NewInt(chainID)
	for name, form := range forms {
		for _, bit := range []uint{64, 87, 88, 95, 96, 255} {
			m := newMachine(t)
			m.arbSys(arbBlockNumber(height))
			m.rules.ChainID = new(big.Int).SetBit(ours, int(bit), 1)
			data, err := m.run(form, encode(t, 300_000, scanner.Native(holders(1))), budget)
			if err != nil {
				t.Fatal(err)
			}
			if answer, err := scanner.Decode(data, 1); err == nil {
				t.Errorf("%s: a chain with bit %d set is taken for chain %d", name, bit, answer.ChainID)
			}
		}
		m := newMachine(t)
		m.arbSys(arbBlockNumber(height))
		m.rules.ChainID = new(big.Int).SetUint64(1<<64 - 1)
		if answer := m.scan(form, 300_000, scanner.Native(holders(1))); answer.ChainID != 1<<64-1 {
			t.Errorf("%s: the largest id that fits came as %d", name, answer.ChainID)
		}
	}
}

func TestOnArbitrumTheHeightIsTheOneOfArbSys(t *testing.T) {
	for _, form := range []scanner.Form{scanner.CalldataArbitrum, scanner.ConstructorArbitrum} {
		m := newMachine(t)
		m.arbSys(arbBlockNumber(490_382_800))
		m.fund(holder(0), uint256.NewInt(5))
		answer := m.scan(form, 300_000, scanner.Native(holders(1)))
		if answer.Height != 490_382_800 || answer.Parent != [32]byte{} {
			t.Errorf("form %d: height %d, parent %x", form, answer.Height, answer.Parent)
		}
		if got := rows(answer); len(got) != 1 || got[0] != "5" {
			t.Errorf("form %d: rows %q", form, got)
		}
	}
}

// Without a height there is no order among values, so an answer without one is no answer.
func TestWithoutAnArbSysThatAnswersThereIsNoHeightAndNoAnswer(t *testing.T) {
	for name, code := range map[string][]byte{
		"no contract":          nil,
		"reverts with a word":  code().Push(height).Push(0).Op(vm.MSTORE).Push(32).Push(0).Op(vm.REVERT).Bytes(),
		"reverts with nothing": reverts(0),
		"returns 31 bytes":     returns(new(uint256.Int).SetAllOne(), 31),
		"burns its gas":        loops(),
		"height of 0":          returns(0, 32),
		"height of 2^63":       returns(uint64(1<<63), 32),
		"height past 64 bits":  returns(new(uint256.Int).Lsh(uint256.NewInt(1), 64), 32),
		"height of 2^64+1":     returns(new(uint256.Int).AddUint64(new(uint256.Int).Lsh(uint256.NewInt(1), 64), 1), 32),
	} {
		for _, form := range []scanner.Form{scanner.CalldataArbitrum, scanner.ConstructorArbitrum} {
			m := newMachine(t)
			if code != nil {
				m.arbSys(code)
			}
			data, err := m.run(form, encode(t, 300_000, scanner.Native(holders(1))), budget)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if answer, err := scanner.Decode(data, 1); err == nil {
				t.Errorf("%s, form %d: decoded with height %d", name, form, answer.Height)
			}
		}
	}
}

func TestNoGroupsAskForTheHeaderAlone(t *testing.T) {
	for name, form := range forms {
		m := newMachine(t)
		m.arbSys(arbBlockNumber(height))
		if answer := m.scan(form, 300_000); answer.Processed != 0 || answer.Height != height || answer.ChainID != chainID {
			t.Errorf("%s: %+v", name, answer)
		}
	}
}

func TestTheLargestGroupIsReadInOneScan(t *testing.T) {
	m := newMachine(t)
	m.rules.OsakaTime = nil
	wallets := holders(scanner.MaxGroup)
	m.fund(wallets[0], uint256.NewInt(1))
	m.fund(wallets[len(wallets)-1], uint256.NewInt(2))
	group := scanner.Native(wallets)
	data, err := m.run(scanner.Calldata, encode(t, 300_000, group), 1_000_000_000)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := scanner.Decode(data, len(wallets))
	if err != nil {
		t.Fatal(err)
	}
	got := rows(answer)
	if len(got) != len(wallets) || got[0] != "1" || got[1] != "0" || got[len(got)-1] != "2" {
		t.Errorf("%d rows", len(got))
	}
}
