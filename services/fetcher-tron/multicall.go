package fetchertron

import (
	"context"
	"encoding/binary"
	"errors"
	"math/big"

	"github.com/balance-sync/balance-sync/shared/scanner"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
)

// Rung 3: Multicall3's aggregate3, for nodes that run contracts and no constructors, where the chain has one. The first rows of each
// request ask where it is being run, so that its answer attests the same as a scan's. A token may take all the energy and memory
// there is, and with it the whole request, which is then divided.

// The selectors that are called.
var (
	aggregate3     = []byte{0x82, 0xad, 0x56, 0xcb} // aggregate3((address,bool,bytes)[])
	getChainID     = []byte{0x34, 0x08, 0xe4, 0x70} // getChainId()
	getBlockNumber = []byte{0x42, 0xcb, 0xb1, 0x5c} // getBlockNumber()
	getEthBalance  = []byte{0x4d, 0x23, 0x01, 0xcc} // getEthBalance(address)
	errAggregate   = errors.New("not the answer of a Multicall3")
)

// attesting is how many rows come before those of the balances.
const attesting = 2

// element is one call of an aggregate3.
type element struct {
	target address
	data   []byte
}

// multicall reads the calls in one request.
func (r *reading) multicall(ctx context.Context, calls []call) *failure {
	elements := []element{{r.fleet.multicall, getChainID}, {r.fleet.multicall, getBlockNumber}}
	for _, c := range calls {
		selector, target := balanceOf[:4], c.token
		if c.native {
			selector, target = getEthBalance, r.fleet.multicall
		}
		elements = append(elements, element{target, append(append(append([]byte{}, selector...), make([]byte, 12)...), c.holder.word()...)})
	}
	question := &core.TriggerSmartContract{OwnerAddress: nobody.wire(), ContractAddress: r.fleet.multicall.wire(), Data: aggregate(elements)}
	reply, _, f := request(ctx, r.node, "multicall", r.node.wallet.TriggerConstantContract, question)
	if f != nil {
		return f
	}
	data, f := returned(reply)
	if f != nil {
		switch f.class {
		case reverted: // a row may fail: the whole reverts only for want of energy
			return &failure{class: burnt, text: f.text}
		case codeless, unsupported, garbage:
			return misfitting("%s", f.text)
		}
		return f
	}
	if !echoes(reply, question) {
		return garbled("the answer to another call")
	}
	results, err := aggregated(data, len(elements))
	if err != nil {
		return misfitting("%v", err)
	}
	height, f := r.attested(results[:attesting])
	if f != nil {
		return f
	}
	proof := r.bulkProof(multicall, height, "")
	for i, c := range calls {
		switch result := results[attesting+i]; {
		case result.ok && len(result.data) >= 32:
			r.value(c, new(big.Int).SetBytes(result.data[:32]).String(), proof)
		case c.native:
			r.fail(c, misfitting("no native balance from Multicall3"))
		case !result.ok:
			r.suspect(c, scanner.Reverted)
		case len(result.data) == 0:
			r.suspect(c, scanner.NoCode)
		default:
			r.suspect(c, scanner.ShortReturn)
		}
	}
	return nil
}

// attested judges the rows that say where the answer was made, and gives the height.
func (r *reading) attested(rows []result) (int64, *failure) {
	var numbers [attesting]uint64
	for i, row := range rows {
		number := new(big.Int).SetBytes(row.data)
		if !row.ok || len(row.data) != 32 || !number.IsUint64() {
			return 0, misfitting("Multicall3 does not say where it runs")
		}
		numbers[i] = number.Uint64()
	}
	return int64(numbers[1]), r.attest(numbers[0], numbers[1])
}

// aggregate gives aggregate3's input: an array of (address target, bool allowFailure, bytes callData).
func aggregate(elements []element) []byte {
	out := appendWord(appendWord(append([]byte{}, aggregate3...), 32), uint64(len(elements)))
	var tail []byte
	for _, e := range elements {
		out = appendWord(out, uint64(32*len(elements)+len(tail)))
		tail = append(append(tail, make([]byte, 12)...), e.target.word()...)
		tail = appendWord(appendWord(appendWord(tail, 1), 96), uint64(len(e.data)))
		tail = append(append(tail, e.data...), make([]byte, -len(e.data)&31)...)
	}
	return append(out, tail...)
}

// appendWord appends a number as 32 bytes.
func appendWord(out []byte, number uint64) []byte {
	return binary.BigEndian.AppendUint64(append(out, make([]byte, 24)...), number)
}

// result is the outcome of one of the calls of an aggregate3.
type result struct {
	ok   bool
	data []byte
}

// aggregated reads aggregate3's output, an array of (bool success, bytes returnData), in the one form in which contracts write
// it. Whatever else it is: it is not Multicall3 that answered.
func aggregated(data []byte, n int) ([]result, error) {
	head := words{data: data}
	head.expect(32)
	head.expect(uint64(n))
	tail := words{data: data, at: 64 + 32*n}
	results := make([]result, n)
	for i := range results {
		head.expect(uint64(tail.at - 64))
		success := tail.next()
		tail.expect(64)
		length := tail.next()
		if head.bad || tail.bad || success > 1 || length > uint64(len(data)) {
			return nil, errAggregate
		}
		results[i] = result{success == 1, tail.bytes(int(length))}
	}
	if head.bad || tail.bad || tail.at != len(data) {
		return nil, errAggregate
	}
	return results, nil
}

// words reads 32-byte words. Once something was not as it should be it is bad and gives nothing.
type words struct {
	data []byte
	at   int
	bad  bool
}

// next gives a word that fits 63 bits.
func (w *words) next() uint64 {
	number := new(big.Int).SetBytes(w.bytes(32))
	if w.bad = w.bad || !number.IsInt64(); w.bad {
		return 0
	}
	return number.Uint64()
}

func (w *words) expect(number uint64) { w.bad = w.next() != number || w.bad }

// bytes gives n bytes and passes their padding.
func (w *words) bytes(n int) []byte {
	padded := (n + 31) / 32 * 32
	if w.bad || len(w.data)-w.at < padded {
		w.bad = true
		return nil
	}
	part := w.data[w.at : w.at+n]
	w.at += padded
	return part
}
