package trondev

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// validity is how many ms a transaction that refers to the head stays valid.
const validity = 60_000

const notExist = "Smart contract is not exist."

// trigger answers TriggerConstantContract. Every outcome of the contract, and none of this stand-in, is a reply.
func (m machine) trigger(v view, in *core.TriggerSmartContract) (*api.TransactionExtention, error) {
	from, ok := account(in.OwnerAddress)
	if !ok {
		from = common.Address{}
	}
	var out outcome
	var err error
	if len(in.ContractAddress) == 0 {
		out, err = m.construct(v, from, in.Data)
	} else {
		to, ok := account(in.ContractAddress)
		if !ok {
			return invalid(notExist), nil
		}
		c, ok := v.contract(to)
		switch {
		case !ok:
			return invalid(notExist), nil
		case len(c.bytes) == 0:
			return failed(noProgram), nil
		}
		out, err = m.call(v, from, to, in.Data)
	}
	if err != nil {
		return nil, err
	}
	var thrown exception
	if errors.As(out.err, &thrown) {
		return failed(thrown), nil
	}
	return answer(v, in, out)
}

// invalid is the reply to a request that was not run.
func invalid(reason string) *api.TransactionExtention {
	return &api.TransactionExtention{Result: &api.Return{
		Code: api.Return_CONTRACT_VALIDATE_ERROR, Message: []byte("Contract validate error : " + reason),
	}}
}

// failed is the reply to a run that ended in an exception.
func failed(thrown exception) *api.TransactionExtention {
	return &api.TransactionExtention{Result: &api.Return{Code: api.Return_CONTRACT_EXE_ERROR, Message: []byte(thrown.Error())}}
}

// answer is the reply to a run that returned or reverted: for java-tron both are a success.
func answer(v view, in *core.TriggerSmartContract, out outcome) (*api.TransactionExtention, error) {
	now := time.Now().UnixMilli()
	wrapper, err := transaction(v, now, core.Transaction_Contract_TriggerSmartContract, in)
	if err != nil {
		return nil, err
	}
	// The id is the request's, also where the echo is of the deployment that the request became.
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(wrapper.RawData)
	if err != nil {
		return nil, fmt.Errorf("encode transaction: %w", err)
	}
	id := sha256.Sum256(raw)
	echo := wrapper
	if len(in.ContractAddress) == 0 {
		deploy := &core.CreateSmartContract{OwnerAddress: in.OwnerAddress, NewContract: &core.SmartContract{
			OriginAddress: in.OwnerAddress, Bytecode: in.Data, ConsumeUserResourcePercent: 100, OriginEnergyLimit: 1,
		}}
		if echo, err = transaction(v, now, core.Transaction_Contract_CreateSmartContract, deploy); err != nil {
			return nil, err
		}
	}
	reply := &api.TransactionExtention{
		Transaction:          echo,
		Txid:                 id[:],
		ConstantResult:       [][]byte{out.output},
		Result:               &api.Return{Result: true},
		EnergyUsed:           int64(out.energy),
		InternalTransactions: internals(id, out.calls),
	}
	ret := &core.Transaction_Result{}
	if errors.Is(out.err, vm.ErrExecutionReverted) {
		ret.Ret = core.Transaction_Result_FAILED
		reply.Result.Message = []byte("REVERT opcode executed")
	}
	echo.Ret = []*core.Transaction_Result{ret}
	return reply, nil
}

func transaction(v view, now int64, kind core.Transaction_Contract_ContractType, contract proto.Message) (*core.Transaction, error) {
	parameter := new(anypb.Any)
	if err := anypb.MarshalFrom(parameter, contract, proto.MarshalOptions{Deterministic: true}); err != nil {
		return nil, fmt.Errorf("encode contract: %w", err)
	}
	return &core.Transaction{RawData: &core.TransactionRaw{
		RefBlockBytes: v.ref.id[6:8],
		RefBlockHash:  v.ref.id[8:16],
		Expiration:    v.block.time + validity,
		Timestamp:     now,
		Contract:      []*core.Transaction_Contract{{Type: kind, Parameter: parameter}},
	}}, nil
}

// internals are the calls that the run made.
func internals(id [32]byte, calls []call) []*core.InternalTransaction {
	var list []*core.InternalTransaction
	for i, c := range calls {
		hash := sha256.Sum256(binary.BigEndian.AppendUint64(id[:], uint64(i)))
		value := &core.InternalTransaction_CallValueInfo{}
		if c.value != nil {
			value.CallValue = c.value.Int64()
		}
		list = append(list, &core.InternalTransaction{
			Hash:              hash[:],
			CallerAddress:     wire(c.from),
			TransferToAddress: wire(c.to),
			CallValueInfo:     []*core.InternalTransaction_CallValueInfo{value},
			Note:              []byte(c.note),
			Rejected:          c.rejected,
		})
	}
	return list
}
