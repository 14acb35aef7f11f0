package evmdev

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/ethereum/go-ethereum/common/hexutil"
)

// Regenerate with `npm ci && npm run build` in contracts/ after a change to contracts/src.
//
//go:embed contracts/artefacts.json
var artefactsJSON []byte

// artefact is one compiled contract.
type artefact struct {
	// Runtime is the code as it stands on chain. None of the contracts has an immutable or needs what
	// its constructor does, so the code can go into the genesis block as it is.
	Runtime hexutil.Bytes `json:"runtime"`
	// Selectors are the first four bytes of a call, by signature.
	Selectors map[string]hexutil.Bytes `json:"selectors"`
	// Slots are storage positions, by variable, without OpenZeppelin's leading underscore.
	Slots map[string]uint64 `json:"slots"`
}

// artefacts is what contracts/build.mjs wrote.
type artefacts struct {
	// Sources is the SHA-256 of the source files in the order of their names and of package-lock.json; a
	// test compares it.
	Sources   string              `json:"sources"`
	Contracts map[string]artefact `json:"contracts"`
}

func readArtefacts() (artefacts, error) {
	var out artefacts
	if err := json.Unmarshal(artefactsJSON, &out); err != nil {
		return artefacts{}, fmt.Errorf("read contract artefacts: %w", err)
	}
	return out, nil
}
