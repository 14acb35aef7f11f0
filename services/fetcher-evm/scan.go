package fetcherevm

import (
	"context"
	"encoding/hex"
	"strings"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/scanner"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// Rungs 1 and 2: the scanner, see shared/scanner. One eth_call reads any number of balances, and its answer attests the
// chain and the block that it ran on. No token can harm another's row, whatever it does.

// scripts is the scanner's code, by rung, and by whether the chain's height is ArbSys's.
type scripts struct {
	override, create string // in hex, without 0x
}

func newScripts(c chain.Config) scripts {
	asCalldata, asConstructor := scanner.Calldata, scanner.Constructor
	if c.Height == chain.ArbSys {
		asCalldata, asConstructor = scanner.CalldataArbitrum, scanner.ConstructorArbitrum
	}
	return scripts{hex.EncodeToString(scanner.Program(asCalldata)), hex.EncodeToString(scanner.Program(asConstructor))}
}

// scanSlack is what the answer to a scan may have beside its rows, and rowText what a row may take: 33 bytes as hex.
const scanSlack, rowText = 64 << 10, 2 * scanner.MaxRowSize

// scan reads the calls, which are ordered by token, in one request. gas is what each may burn.
func (r *reading) scan(ctx context.Context, at rung, calls []call, gas uint64) answered {
	input, err := scanInput(at, calls, gas)
	if err != nil { // plan lets nothing through that the scanner refuses
		return answered{calls, 0, &failure{class: misfit, text: err.Error()}}
	}
	code := &r.fleet.scripts
	size := len(code.create) + 2*len(input) + len(r.pin.block) + 256
	data, took, f := r.node.run(ctx, at, len(calls), size, scanSlack+rowText*int64(len(calls)), func(body []byte) []byte {
		if at == create {
			body = append(append(body, `[{"data":"0x`...), code.create...)
			body = append(append(hex.AppendEncode(body, input), `"},`...), r.pin.block...)
			return append(body, ']')
		}
		to := scanner.OverrideAddress()
		body = append(hex.AppendEncode(append(body, `[{"to":"0x`...), to[:]), `","data":"0x`...)
		body = append(append(hex.AppendEncode(body, input), `"},`...), r.pin.block...)
		body = append(hex.AppendEncode(append(body, `,{"0x`...), to[:]), `":{"code":"0x`...)
		return append(append(body, code.override...), `"}}]`...)
	})
	if f != nil {
		return answered{calls, took, f}
	}
	a := r.scanned(data, at, calls)
	a.took = took
	return a
}

// scanned settles the calls by a scan's answer, as far as the scan got.
func (r *reading) scanned(data []byte, at rung, calls []call) answered {
	scan, err := scanner.Decode(data, len(calls))
	if err != nil {
		return answered{left: calls, failed: &failure{class: misfit, text: err.Error()}}
	}
	if f := r.attest(scan.ChainID, scan.Height, scan.Parent); f != nil {
		return answered{left: calls, failed: f}
	}
	if scan.Processed == 0 && at == create && len(calls) > 1 { // what is kept back for the answer grows with the rows
		return answered{left: calls, failed: &failure{class: oversized, text: "the node gives a scan too little gas for its answer"}}
	}
	if scan.Processed == 0 {
		return answered{left: calls, failed: &failure{class: misfit, text: "the node gives a scan too little gas for one balance"}}
	}
	var digits [80]byte
	for _, c := range calls[:scan.Processed] {
		e, _ := scan.Next() // there are as many as were processed
		if raw, ok := e.AppendDecimal(digits[:0]); ok {
			r.value(c, string(raw), at)
			continue
		}
		r.statuses(c, e.Status.Cause())
	}
	return answered{left: calls[scan.Processed:]}
}

// statuses notes a row without a value. What it means is for [reading.confirm] to find out.
func (r *reading) statuses(c call, status scanner.Status) {
	switch status {
	case scanner.Burnt:
		r.burnt = append(r.burnt, c)
	case scanner.NoCode:
		r.suspects = append(r.suspects, suspect{c, wire.CodeNoContract, true})
	case scanner.ShortReturn:
		r.suspects = append(r.suspects, suspect{c, wire.CodeShortReturn, true})
	default:
		r.suspects = append(r.suspects, suspect{c, wire.CodeReverted, true})
	}
}

// scanInput encodes calls that are ordered by token.
func scanInput(at rung, calls []call, gas uint64) ([]byte, error) {
	holders := make([]scanner.Address, len(calls))
	for i, c := range calls {
		holders[i] = scanner.Address(c.holder)
	}
	var groups []scanner.Group
	first := 0
	for _, run := range fetch.Runs(calls) {
		of := holders[first : first+len(run)]
		first += len(run)
		group := scanner.Native(of)
		if !run[0].native {
			var err error
			if group, err = scanner.Token(scanner.Address(run[0].token), of); err != nil {
				return nil, err
			}
		}
		groups = append(groups, group)
	}
	floor := scanner.Floor(uint32(gas))
	if at == create {
		floor += scanner.FloorDeposit(len(calls))
	}
	return scanner.AppendInput(make([]byte, 0, 8+22*len(groups)+20*len(calls)), uint32(gas), floor, groups)
}

// attest holds what an answer says about where it was made against what was asked for. Nothing may be used of an answer that
// fails it.
func (r *reading) attest(chainID, height uint64, parent [32]byte) *failure {
	switch {
	case chainID != r.fleet.chain.ChainID:
		return r.node.isForeign(chainID)
	case height != uint64(r.pin.number):
		f := strayedTo("block %d in answer to block %d", height, r.pin.number)
		f.elsewhere = true
		return f
	case r.fleet.chain.Height != chain.ArbSys && !strings.EqualFold(hex.EncodeToString(parent[:]), r.pin.parent[2:]):
		return strayedTo("another block %d than the one that was asked for: its parent differs", height)
	}
	return nil
}
