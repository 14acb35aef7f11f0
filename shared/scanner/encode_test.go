package scanner_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/shared/scanner"
)

func TestTheInputIsGasThenGroupsByteForByte(t *testing.T) {
	groups := []scanner.Group{mustToken(t, contract(0xa6), holders(2)), scanner.Native(holders(1))}
	got, err := scanner.AppendInput([]byte{0xff}, 300_000, 400_000, groups)
	if err != nil {
		t.Fatal(err)
	}
	want := "ff" + "000493e0" + "00061a80" +
		"0002" + "a6" + strings.Repeat("00", 19) + "77" + strings.Repeat("00", 19) + "77" + strings.Repeat("00", 18) + "01" +
		"0001" + strings.Repeat("00", 20) + "77" + strings.Repeat("00", 19)
	if hex.EncodeToString(got) != want {
		t.Errorf("input %x\nwant  %s", got, want)
	}
	if rows := scanner.Rows(groups); rows != 3 {
		t.Errorf("%d rows", rows)
	}
}

// The zero token means the native coin on the wire: an address that was never filled in would read another asset.
func TestAZeroTokenNeverReachesTheInput(t *testing.T) {
	refused, err := scanner.Token(scanner.Address{}, holders(1))
	if err == nil {
		t.Error("the zero address was taken for a token")
	}
	for name, group := range map[string]scanner.Group{"zero group": {}, "group of a refused token, its error ignored": refused} {
		dst := []byte("before")
		got, err := scanner.AppendInput(dst, 300_000, scanner.Floor(300_000), []scanner.Group{scanner.Native(holders(1)), group})
		if err == nil || !bytes.Equal(got, dst) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
}

// Under the override the scanner is what has code there: its header would be taken for a balance.
func TestTheScannersOwnAddressIsNoToken(t *testing.T) {
	if _, err := scanner.Token(scanner.OverrideAddress(), holders(1)); err == nil {
		t.Error("the override address was taken for a token")
	}
	own, m := scanner.OverrideAddress(), newMachine(t)
	input := encode(t, 300_000, mustToken(t, contract(0xa6), holders(1)))
	copy(input[10:], own[:]) // as if it were not refused
	data, err := m.run(scanner.Calldata, input, budget)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := scanner.Decode(data, 1)
	if err != nil {
		t.Fatal(err)
	}
	if entry, _ := answer.Next(); entry.Status != scanner.Read {
		t.Errorf("it would have been %s: the refusal has lost its reason", entry.Status)
	}
}

func TestAGroupThatTheCountCannotHoldIsRefused(t *testing.T) {
	for name, group := range map[string]scanner.Group{"no holders": scanner.Native(nil), "65536 holders": scanner.Native(holders(1 << 16))} {
		if got, err := scanner.AppendInput(nil, 300_000, scanner.Floor(300_000), []scanner.Group{group}); err == nil || got != nil {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

func TestAFloorThatCouldFailAGoodRowIsRefused(t *testing.T) {
	for _, callGas := range []uint32{0, 1, 63, 300_000, 3_000_000, 4_227_000_000} {
		floor := scanner.Floor(callGas)
		if uint64(floor) != uint64(callGas)+uint64(callGas)/63+20_000 {
			t.Errorf("floor of %d is %d", callGas, floor)
		}
		if _, err := scanner.AppendInput(nil, callGas, floor, nil); err != nil {
			t.Error(err)
		}
		if _, err := scanner.AppendInput(nil, callGas, floor-1, nil); err == nil {
			t.Errorf("callGas %d with floor %d was encoded", callGas, floor-1)
		}
	}
	if got := scanner.Floor(math.MaxUint32); got != math.MaxUint32 {
		t.Errorf("floor of the largest callGas is %d", got)
	}
	if _, err := scanner.AppendInput(nil, math.MaxUint32, math.MaxUint32, nil); err == nil {
		t.Error("a callGas whose floor does not fit was encoded")
	}
}

func TestTheDepositPaysForTheLongestAnswer(t *testing.T) {
	for rows, want := range map[int]uint32{-1: 12_800, 0: 12_800, 1: 19_400, 700: 4_632_800, 1 << 30: math.MaxUint32} {
		if got := scanner.FloorDeposit(rows); got != want {
			t.Errorf("%d rows: %d, want %d", rows, got, want)
		}
	}
}
