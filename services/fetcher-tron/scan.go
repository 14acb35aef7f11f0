package fetchertron

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/scanner"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
)

// Rungs 1 and 2: the scanner, see shared/scanner. A constant call without a contract runs its data as a constructor, and what that
// reverts with, or returns, is the reply. One call reads some two hundred tokens or a thousand coins, and its answer says
// of which chain and block it is: the block is read before the balances, so these are of it or of the next ones.

// callEnergy is what a token may burn in a scan; the dearest good tokens take a few thousand.
const callEnergy = 1_000_000

// scripts are the scanner's codes.
type scripts struct{ asRevert, asReturn []byte }

func newScripts() scripts {
	return scripts{scanner.Program(scanner.ConstructorRevert), scanner.Program(scanner.Constructor)}
}

// scan reads the calls, which are ordered by token, in one request.
func (r *reading) scan(ctx context.Context, at rung, calls []call) (left []call, failed *failure) {
	code, floor := r.fleet.scripts.asRevert, scanner.Floor(callEnergy)
	if at == scanReturn {
		code, floor = r.fleet.scripts.asReturn, floor+scanner.FloorDeposit(len(calls))
	}
	data, err := scanInput(code, floor, calls)
	if err != nil { // plan lets nothing through that the scanner refuses
		return calls, misfitting("%v", err)
	}
	reply, _, f := request(ctx, r.node, "scan", r.node.wallet.TriggerConstantContract, &core.TriggerSmartContract{OwnerAddress: nobody.wire(), Data: data})
	if f != nil {
		return calls, f
	}
	output, f := scanned(reply, at, data)
	if f != nil {
		return calls, f
	}
	answer, err := scanner.Decode(output, len(calls))
	if err != nil {
		return calls, misfitting("%v", err)
	}
	if f := r.attest(answer.ChainID, answer.Height); f != nil {
		return calls, f
	}
	if answer.Processed == 0 {
		return calls, misfitting("the node gives a scan too little energy for one balance")
	}
	proof := r.bulkProof(at, int64(answer.Height), hex.EncodeToString(answer.Parent[:]))
	var digits [80]byte
	for _, c := range calls[:answer.Processed] {
		e, _ := answer.Next() // there are as many as were processed
		if raw, ok := e.AppendDecimal(digits[:0]); ok {
			r.value(c, string(raw), proof)
			continue
		}
		r.suspect(c, e.Status.Cause())
	}
	return calls[answer.Processed:], nil
}

// scanInput gives the program with its input.
func scanInput(code []byte, floor uint32, calls []call) ([]byte, error) {
	holders := make([]scanner.Address, len(calls))
	for i, c := range calls {
		holders[i] = scanner.Address(c.holder.word())
	}
	var groups []scanner.Group
	first := 0
	for _, run := range fetch.Runs(calls) {
		of := holders[first : first+len(run)]
		first += len(run)
		group := scanner.Native(of)
		if !run[0].native {
			var err error
			if group, err = scanner.Token(scanner.Address(run[0].token.word()), of); err != nil {
				return nil, err
			}
		}
		groups = append(groups, group)
	}
	data := append(make([]byte, 0, len(code)+8+22*len(groups)+20*len(calls)), code...)
	return scanner.AppendInput(data, callEnergy, floor, groups)
}

// scanned gives the scanner's answer out of a reply. Whatever fails it is about the whole request: the scanner runs no token's
// code outside of a call that it survives.
func scanned(reply *api.TransactionExtention, at rung, data []byte) ([]byte, *failure) {
	output, f := returned(reply)
	if f != nil && f.class == reverted && at == scanRevert && reverts(reply) {
		list := reply.GetConstantResult()
		if len(list) != 1 {
			return nil, misfitting("a revert with %d results", len(list))
		}
		output, f = list[0], nil
	}
	if f != nil {
		switch f.class {
		case reverted, codeless, unsupported, garbage: // a node that does not run constructors, in one of many ways to say so
			return nil, misfitting("%s", f.text)
		}
		return nil, f
	}
	for _, contract := range reply.GetTransaction().GetRawData().GetContract() {
		var made core.CreateSmartContract
		if err := contract.GetParameter().UnmarshalTo(&made); err != nil || !bytes.Equal(made.GetNewContract().GetBytecode(), data) {
			return nil, garbled("the answer to another scan")
		}
	}
	return output, nil
}

// misfitting is the failure of a rung that the node cannot take.
func misfitting(format string, args ...any) *failure {
	return &failure{class: misfit, text: fmt.Sprintf(format, args...)}
}

// attest judges what an answer says of where it was made. Nothing may be used of one that fails it. The virtual machine's chain id is
// the last four bytes of block 0's id.
func (r *reading) attest(chainID, height uint64) *failure {
	genesis, err := hex.DecodeString(r.fleet.chain.Genesis)
	if err != nil || len(genesis) != 32 {
		return garbled("the configured genesis is no block id")
	}
	if want := uint64(binary.BigEndian.Uint32(genesis[28:])); chainID != want {
		f := &failure{class: foreign, text: fmt.Sprintf("contracts run on chain %d at the node, on %d by the configured genesis", chainID, want)}
		r.node.quarantine(f)
		return f
	}
	if height == 0 || height > 1<<62 {
		return garbled("a height of %d", height)
	}
	if f := r.current(int64(height)); f != nil {
		return f
	}
	if !r.probing {
		r.node.member.Saw(int64(height))
	}
	return nil
}

// suspect notes a row that a request gave no value. What that means is for [reading.confirm] to find out.
func (r *reading) suspect(c call, status scanner.Status) {
	code := wire.CodeReverted
	switch status {
	case scanner.Burnt:
		code = wire.CodeGasExceeded
	case scanner.NoCode:
		code = wire.CodeNoContract
	case scanner.ShortReturn:
		code = wire.CodeShortReturn
	}
	r.suspects = append(r.suspects, suspect{c, code})
}
