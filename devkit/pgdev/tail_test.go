package pgdev

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestTailQuotesTheLastLines(t *testing.T) {
	said := &tail{next: io.Discard}
	for i := range 10_000 {
		fmt.Fprintf(said, "line %d\n", i)
	}
	got := strings.Split(said.quoted(), "\n\t")
	if len(got) != tailLines+1 || got[1] != "line 9988" || got[tailLines] != "line 9999" {
		t.Errorf("quoted %q, want the lines 9988 to 9999", got)
	}
	if n := len(said.String()); n > 2*tailBytes {
		t.Errorf("keeps %d bytes of %d lines", n, 10_000)
	}
}

func TestSilentProgramIsNotQuoted(t *testing.T) {
	said := &tail{next: io.Discard}
	fmt.Fprint(said, "\n \n")
	if got := said.quoted(); got != "" {
		t.Errorf("quoted %q, want nothing", got)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("pipe is broken") }

func TestBrokenLogDoesNotReachTheProgram(t *testing.T) {
	said := &tail{next: broken{}}
	if n, err := said.Write([]byte("kept")); n != 4 || err != nil || said.String() != "kept" {
		t.Errorf("wrote %d, %v, kept %q; want 4, none, kept", n, err, said.String())
	}
}
