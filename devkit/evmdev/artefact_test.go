package evmdev

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/core/vm"
)

func TestArtefactsAreOfTheSourcesBesideThem(t *testing.T) {
	files, err := filepath.Glob("contracts/src/*.sol")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	files = append(files, "contracts/package-lock.json") // the versions of compiler and library
	digest := sha256.New()
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		digest.Write(source)
	}
	compiled, err := readArtefacts()
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(digest.Sum(nil)); got != compiled.Sources {
		t.Error("contracts/src or package-lock.json has changed: npm ci && npm run build in contracts/")
	}
}

func TestNoContractNeedsShanghai(t *testing.T) {
	compiled, err := readArtefacts()
	if err != nil {
		t.Fatal(err)
	}
	for name, artefact := range compiled.Contracts {
		for at := 0; at < len(artefact.Runtime); at++ {
			op := vm.OpCode(artefact.Runtime[at])
			if op == vm.PUSH0 || op == vm.MCOPY {
				t.Errorf("%s: %s at %d", name, op, at)
			}
			if op.IsPush() {
				at += int(op - vm.PUSH0)
			}
		}
	}
}

func TestContractWithoutArtefactIsAnError(t *testing.T) {
	if list, err := contracts(artefacts{}); err == nil {
		t.Errorf("planted %d contracts out of nothing", len(list))
	}
}
