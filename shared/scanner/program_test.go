package scanner_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/shared/scanner"
)

var forms = map[string]scanner.Form{
	"calldata": scanner.Calldata, "calldata, Arbitrum": scanner.CalldataArbitrum, "constructor": scanner.Constructor,
	"constructor, revert": scanner.ConstructorRevert, "constructor, Arbitrum": scanner.ConstructorArbitrum,
}

// proven is the program that ran on geth and anvil (calldata) and on java-tron's own virtual machine (constructor).
var proven = map[scanner.Form]string{
	scanner.Calldata:    "6370a0823160e01b60005260c060006000600060085b368110156100f257915050803560f01c601402601601810190806002013560601c906016015b828110156100155760043560e01c5a106100f257803560601c8261005f57316100b2565b6004525a60206040602460008660003560e01cfa601f3d1181166100ac57608001833b1560020201905a900360003560e01c90101560021b0185536014019360010193926001019261003b565b50506040515b80151560031b8160401c151560021b018160601c151560140201808753908160031b610100031b866001015285016001019450601401926001019261003b565b5050504260201b174360601b174660a01b17600160f81b176080526001430340608060200152608090036080f3",
	scanner.Constructor: "6370a0823160e01b600052610155380361015560803961015538036080016040018060605260400160006000600060085b610155380381101561012357915050806080015160f01c601402601601810190806002016080015160601c906016015b828110156100305760046080015160e01c5a1061012357806080015160601c8261008a57316100e3565b6004525a60206040602460008660006080015160e01cfa601f3d1181166100dd57608001833b1560020201905a900360006080015160e01c90101560021b01855360140193600101939260010192610060565b50506040515b80151560031b8160401c151560021b018160601c151560140201808753908160031b610100031b8660010152850160010194506014019260010192610060565b5050504260201b174360601b174660a01b17600160f81b17606051526001430340606051602001526060519003606051f3",
}

// Our program is the proven one and nothing else but ten bytes, which spoil the header of a chain whose numbers do not fit
// it: TIMESTAMP NUMBER OR CHAINID OR 64 SHR ISZERO MUL. They come after the last label but the constructor's end.
func TestTheProgramIsTheProvenOneAndTheCheckOfTheHeader(t *testing.T) {
	const check = "424317461760401c1502"
	for form, want := range proven {
		got := hex.EncodeToString(scanner.Program(form))
		if strings.Count(got, check) != 1 {
			t.Fatalf("form %d has not one check of the header", form)
		}
		got = strings.Replace(got, check, "", 1)
		if form == scanner.Constructor { // its end, where the input begins, moved from 0x155
			got = strings.ReplaceAll(got, "61015f", "610155")
		}
		if got != want {
			t.Errorf("form %d, without the check:\n%s\nproven:\n%s", form, got, want)
		}
	}
	returns, reverts := scanner.Program(scanner.Constructor), scanner.Program(scanner.ConstructorRevert)
	last := len(returns) - 1
	if !bytes.Equal(returns[:last], reverts[:last]) || returns[last] != 0xf3 || reverts[last] != 0xfd {
		t.Error("the revert form is not the constructor that ends in REVERT")
	}
}

func TestTheProgramIsTheCallersOwnCopy(t *testing.T) {
	for name, form := range forms {
		mine := scanner.Program(form)
		mine[0] ^= 0xff
		if bytes.Equal(mine, scanner.Program(form)) {
			t.Errorf("%s: a change of one copy shows in the next", name)
		}
	}
}

// PUSH0 and what came later would keep the program off older chains; 0xEF may not lead a constructor's answer.
func TestTheProgramUsesNoOpcodeYoungerThanIstanbul(t *testing.T) {
	for name, form := range forms {
		for code := scanner.Program(form); len(code) > 0; {
			op := code[0]
			switch {
			case op >= 0x48 && op < 0x50, op > 0x5b && op < 0x60: // BASEFEE …, TLOAD, TSTORE, MCOPY, PUSH0
				t.Errorf("%s: opcode %#x", name, op)
			case op >= 0x60 && op <= 0x7f:
				code = code[op-0x5f:]
			}
			code = code[1:]
		}
	}
}

func TestTheOverrideAddressIsAHashAndNobodysKey(t *testing.T) {
	sum := sha256.Sum256([]byte("balance-sync scanner"))
	if got := scanner.OverrideAddress(); !bytes.Equal(got[:], sum[:20]) {
		t.Errorf("override address %x, hash %x", got, sum)
	}
}

// holder is a wallet of the fixtures: its number in the last four bytes.
func holder(i uint32) (a scanner.Address) {
	a[0] = 0x77
	binary.BigEndian.PutUint32(a[16:], i)
	return a
}

// holders are the first n wallets.
func holders(n int) []scanner.Address {
	all := make([]scanner.Address, n)
	for i := range all {
		all[i] = holder(uint32(i))
	}
	return all
}

// contract is an address of the fixtures that begins with a byte and is zero otherwise.
func contract(first byte) scanner.Address { return scanner.Address{first} }

// mustToken is a token's group.
func mustToken(t testing.TB, address scanner.Address, holders []scanner.Address) scanner.Group {
	t.Helper()
	group, err := scanner.Token(address, holders)
	if err != nil {
		t.Fatal(err)
	}
	return group
}

// encode is the input for groups with the right floor.
func encode(t testing.TB, callGas uint32, groups ...scanner.Group) []byte {
	t.Helper()
	input, err := scanner.AppendInput(nil, callGas, scanner.Floor(callGas), groups)
	if err != nil {
		t.Fatal(err)
	}
	return input
}

// rows are an answer's rows as text: a balance in decimal, or the cause of its absence.
func rows(answer scanner.Answer) []string {
	var all []string
	for {
		entry, more := answer.Next()
		if !more {
			return all
		}
		if text, ok := entry.AppendDecimal(nil); ok {
			all = append(all, string(text))
		} else {
			all = append(all, entry.Status.String())
		}
	}
}
