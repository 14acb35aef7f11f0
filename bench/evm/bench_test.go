package evm

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestMain lets the test's own program be the serving process, as the bench's is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == serveCommand {
		os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func TestEveryWayReadsWhatSingleCallsRead(t *testing.T) {
	var out, notes bytes.Buffer
	if code := Main([]string{"--rows", "40", "--rtt", "0s", "--geth-only"}, &out, &notes); code != 0 {
		t.Fatalf("exit %d: %s%s", code, out.String(), notes.String())
	}
	for _, w := range ways {
		if strings.Count(out.String(), w.name+" ") == 0 {
			t.Errorf("no line for %s:\n%s", w.name, out.String())
		}
	}
}

func TestRowsThatAreNoWholeWalletsAreRefused(t *testing.T) {
	var out, notes bytes.Buffer
	if code := Main([]string{"--rows", "41"}, &out, &notes); code != 3 || !strings.Contains(notes.String(), "multiple of 4") {
		t.Errorf("exit %d: %s", code, notes.String())
	}
}
