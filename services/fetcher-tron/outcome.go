package fetchertron

import (
	"bytes"
	"fmt"
	"math/big"
	"strconv"

	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
	"google.golang.org/protobuf/proto"
)

// answer is what a node said of one balance: a value (raw), an error of the row or its token (code and text), or a
// failure of the node itself (failed).
type answer struct {
	raw        string
	code, text string
	failed     *failure
	// vacant says that the zero is that of an account which the node does not have.
	vacant bool
}

// accountAnswer reads the reply to [call.account]. A node says of an address that was never used, and of one that is none, nothing
// at all: not an error but an empty message. [plan] let no address through that is none, so nothing at all is a zero. Anything else
// must be the account that was asked for.
func (c call) accountAnswer(reply *core.Account) answer {
	switch {
	case proto.Size(reply) == 0:
		return answer{raw: "0", vacant: true}
	case !bytes.Equal(reply.GetAddress(), c.holder.wire()):
		return answer{failed: garbled("the account of %x, not %x", reply.GetAddress(), c.holder.wire())}
	case reply.GetBalance() < 0:
		return answer{failed: garbled("a balance of %d sun", reply.GetBalance())}
	}
	return answer{raw: strconv.FormatInt(reply.GetBalance(), 10)}
}

// triggerAnswer reads the reply to [call.trigger]. Nothing but 32 bytes that the token returned becomes a value: a revert, which the
// node reports as a success, and an empty or short return are errors, never a zero.
func (c call) triggerAnswer(reply *api.TransactionExtention) answer {
	data, f := returned(reply)
	switch {
	case f != nil:
		return c.refused(f)
	case !echoes(reply, c.trigger()):
		return answer{failed: garbled("the answer to another call")}
	case len(data) == 0:
		return answer{code: wire.CodeEmptyReturn, text: "balanceOf returned nothing"}
	case len(data) < 32:
		return answer{code: wire.CodeShortReturn, text: fmt.Sprintf("balanceOf returned %d bytes, not 32", len(data))}
	}
	// By the rule of the ABI the first word is the answer; what follows it is not ours to judge.
	return answer{raw: new(big.Int).SetBytes(data[:32]).String()}
}

// returned gives what a constant call returned, of any length, or why it did not. A revert is the failure [reverted].
func returned(reply *api.TransactionExtention) ([]byte, *failure) {
	result := reply.GetResult()
	if result == nil {
		return nil, garbled("a reply without a result")
	}
	message := string(result.GetMessage())
	if result.GetCode() != api.Return_SUCCESS || !result.GetResult() {
		return nil, &failure{class: classifyResult(result.GetCode(), message), text: result.GetCode().String() + " " + message}
	}
	list := reply.GetConstantResult()
	switch {
	case reverts(reply):
		return nil, &failure{class: reverted, text: message}
	case message != "":
		return nil, garbled("a success with the message %q", message)
	case len(list) != 1:
		return nil, garbled("a success with %d results", len(list))
	}
	return list[0], nil
}

// reverts reports whether a call that was a success ended in a revert, which one of two marks says.
func reverts(reply *api.TransactionExtention) bool {
	if string(reply.GetResult().GetMessage()) == "REVERT opcode executed" {
		return true
	}
	for _, ret := range reply.GetTransaction().GetRet() {
		if ret.GetRet() == core.Transaction_Result_FAILED {
			return true
		}
	}
	return false
}

// echoes reports whether the call that the reply repeats is the one that was asked. A reply that repeats none says nothing of that.
func echoes(reply *api.TransactionExtention, asked *core.TriggerSmartContract) bool {
	contracts := reply.GetTransaction().GetRawData().GetContract()
	if len(contracts) == 0 {
		return true
	}
	var echo core.TriggerSmartContract
	if err := contracts[0].GetParameter().UnmarshalTo(&echo); err != nil {
		return false
	}
	return bytes.Equal(echo.GetContractAddress(), asked.ContractAddress) && bytes.Equal(echo.GetData(), asked.Data)
}

// refused tells a token that fails from a node that does.
func (c call) refused(f *failure) answer {
	switch f.class {
	case reverted:
		return answer{code: wire.CodeReverted, text: f.text}
	case codeless:
		return answer{code: wire.CodeNoContract, text: f.text}
	case burnt:
		return answer{code: wire.CodeGasExceeded, text: f.text}
	}
	return answer{failed: f}
}
