package scanner_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/balance-sync/balance-sync/shared/scanner"
	"google.golang.org/protobuf/encoding/protowire"
)

// reply is a TransactionExtention as java-tron sent it, from testdata.
func reply(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "tron", name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// fields are the length-delimited fields of a message that have a number.
func fields(t *testing.T, message []byte, number protowire.Number) [][]byte {
	t.Helper()
	var found [][]byte
	for len(message) > 0 {
		n, kind, size := protowire.ConsumeField(message)
		_ = kind
		if size < 0 {
			t.Fatalf("not a message: %v", protowire.ParseError(size))
		}
		if n == number {
			_, _, tag := protowire.ConsumeTag(message)
			value, length := protowire.ConsumeBytes(message[tag:])
			if length < 0 {
				t.Fatalf("field %d: %v", number, protowire.ParseError(length))
			}
			found = append(found, value)
		}
		message = message[size:]
	}
	return found
}

// The replies were made by java-tron's own virtual machine over this state: the token at a6 00… gives holder i 7i+3, each
// holder has (i+1) TRX, dd 00… reverts, ee 00… returns nothing, at 99 00… there is no code, and the head is block 70,000,000.
func TestWhatJavaTronAnsweredIsDecodedToWhatItsStateHeld(t *testing.T) {
	groups := []scanner.Group{
		scanner.Native(holders(3)), mustToken(t, contract(0xa6), holders(3)), mustToken(t, contract(0xdd), holders(1)),
		mustToken(t, contract(0xee), holders(1)), mustToken(t, contract(0x99), holders(1)),
	}
	want := []string{"1000000", "2000000", "3000000", "3", "10", "17", "reverted", "short return", "no code"}
	for _, name := range []string{"scanner-mix-return", "scanner-mix-revert"} {
		t.Run(name, func(t *testing.T) {
			message := reply(t, name)
			results := fields(t, message, 3)
			if len(results) != 1 {
				t.Fatalf("%d constant results", len(results))
			}
			answer, err := scanner.Decode(results[0], scanner.Rows(groups))
			if err != nil {
				t.Fatal(err)
			}
			if got := rows(answer); !slices.Equal(got, want) {
				t.Errorf("rows %q, want %q", got, want)
			}
			// 2025-06-15 15:06:40 UTC; the parent's id begins with its number, as every block id on TRON.
			parent, err := hex.DecodeString("00000000042c1d7f121e8e41fa28a748bdaee67458d9c8e260f1e07a2db0307c")
			if err != nil {
				t.Fatal(err)
			}
			if answer.ChainID != 0x7852b855 || answer.Height != 70_000_000 || answer.Time != 1_750_000_000 ||
				answer.Processed != 9 || !bytes.Equal(answer.Parent[:], parent) {
				t.Errorf("header %+v", answer)
			}
			// The reply echoes the transaction: what the node ran ends with what our encoder makes of these groups.
			if input := encode(t, 300_000, groups...); !bytes.Contains(message, append([]byte{0x60, 0x51, finish(name)}, input...)) {
				t.Error("the input that the node ran is not the one that we encode")
			}
		})
	}
}

// finish is the last opcode of the program that gave a reply.
func finish(name string) byte {
	if name == "scanner-mix-revert" {
		return 0xfd
	}
	return 0xf3
}

// A call that ran out of time has no result at all, which a reader must not take for an answer.
func TestATimeoutOfJavaTronHasNothingToDecode(t *testing.T) {
	if results := fields(t, reply(t, "scanner-token-2000-timeout"), 3); len(results) != 0 {
		t.Fatalf("%d constant results", len(results))
	}
	if _, err := scanner.Decode(nil, 2000); err == nil {
		t.Error("nothing at all was decoded")
	}
}
