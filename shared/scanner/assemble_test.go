package scanner

import (
	"encoding/hex"
	"strings"
	"testing"
)

func TestTheAssemblerWritesWhatTheSourceSays(t *testing.T) {
	tests := []struct{ source, want string }{
		{"", ""},
		{"; nothing\n\t\n", ""},
		{"ADD MUL ; SUB\nSUB", "010203"},
		{"0 1 255 256 0xffff", "6000" + "6001" + "60ff" + "610100" + "61ffff"},
		{"0x" + strings.Repeat("f", 64), "7f" + strings.Repeat("ff", 32)},
		{"DUP1 DUP16 SWAP1 SWAP16", "808f909f"},
		{"@end JUMP here: @here JUMP end=", "610009" + "56" + "5b" + "610004" + "56"},
		{"%two ADD %none", "60016002" + "01"},
	}
	for _, tt := range tests {
		got, err := assemble(tt.source, map[string]string{"two": "1 2", "none": ""})
		if err != nil || hex.EncodeToString(got) != tt.want {
			t.Errorf("%q is %x, %v; want %s", tt.source, got, err, tt.want)
		}
	}
}

func TestTheAssemblerRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, source := range []string{
		"PUSH0", "DUP0", "DUP17", "SWAP", "DUPx", "-1", "1x", "0x1" + strings.Repeat("0", 64), "@nowhere", "a: a:", "a: a=", "%unknown",
		strings.Repeat("ADD\n", 1<<16),
	} {
		if code, err := assemble(source, nil); err == nil {
			t.Errorf("%.20q is %d bytes", source, len(code))
		}
	}
}

func TestAFormThatIsNoFormPanics(t *testing.T) {
	for _, form := range []Form{-1, ConstructorArbitrum + 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("form %d has a program", form)
				}
			}()
			Program(form)
		}()
	}
}
