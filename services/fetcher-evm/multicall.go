package fetcherevm

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"math/big"
	"strconv"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// Rung 3: Multicall3's aggregate3. The first rows of each request ask where it is being run, so that its answer attests the same as
// a scan's. A token may take all the gas and memory there is, and with it the whole request: see [reading.divide].

// The selectors that are called, and where Arbitrum's ArbSys is.
const (
	aggregate3     = "82ad56cb" // aggregate3((address,bool,bytes)[])
	getChainID     = "3408e470" // getChainId()
	getBlockNumber = "42cbb15c" // getBlockNumber()
	getParent      = "27e86d6e" // getLastBlockHash(), which is that of the block before
	getEthBalance  = "4d2301cc" // getEthBalance(address)
	arbBlockNumber = "a3b1b31d" // arbBlockNumber()
)

var (
	arbSys       = address{19: 0x64}
	errAggregate = errors.New("not the answer of a Multicall3")
)

// attesting is how many rows come before those of the balances.
const attesting = 3

// multicall reads the calls in one request.
func (r *reading) multicall(ctx context.Context, calls []call) answered {
	data, took, f := r.node.run(ctx, multicall, len(calls), 450*(len(calls)+attesting)+512, r.fleet.config.MaxAnswer, func(body []byte) []byte {
		body = append(strconv.AppendUint(append(body, `[{"gas":"0x`...), r.multicallGas(len(calls)), 16), `","to":"`...)
		body = append(body, r.fleet.multicall.String()...)
		body = append(r.aggregate(append(body, `","data":"0x`...), calls), `"},`...)
		return append(append(body, r.pin.block...), ']')
	})
	if f != nil {
		return answered{calls, took, f}
	}
	results, err := aggregated(data, attesting+len(calls))
	if err != nil {
		return answered{calls, took, &failure{class: misfit, text: err.Error()}}
	}
	if f := r.attested(results[:attesting]); f != nil {
		return answered{calls, took, f}
	}
	for i, c := range calls {
		switch result := results[attesting+i]; {
		case result.ok && len(result.data) >= 32:
			r.value(c, new(big.Int).SetBytes(result.data[:32]).String(), multicall)
		case c.native:
			r.fail(c, &failure{class: misfit, text: "no native balance from Multicall3"})
		case !result.ok:
			r.suspects = append(r.suspects, suspect{c, wire.CodeReverted, false})
		case len(result.data) == 0:
			r.suspects = append(r.suspects, suspect{c, wire.CodeEmptyReturn, false})
		default:
			r.suspects = append(r.suspects, suspect{c, wire.CodeShortReturn, false})
		}
	}
	return answered{nil, took, nil}
}

// mostMulticallGas bounds what a token can burn in a Multicall3, which bounds nothing itself: nodes that give a call hundreds of
// millions would not answer in time. It is several times what 500 balances take.
const mostMulticallGas = 25_000_000

// multicallGas is what a request for n balances may burn: enough for each to burn all that it may, as far as the bound goes.
func (r *reading) multicallGas(n int) uint64 {
	return min(1_000_000+uint64(n)*r.gas, mostMulticallGas)
}

// aggregate appends aggregate3's input in hex: an array of (address target, bool allowFailure, bytes callData).
func (r *reading) aggregate(body []byte, calls []call) []byte {
	const short, long = 5 * 32, 6 * 32 // an element with 4 bytes of data, and one with an address too
	n := attesting + len(calls)
	body = appendWord(appendWord(append(body, aggregate3...), 32), uint64(n))
	for i := range n {
		body = appendWord(body, uint64(32*n+short*min(i, attesting)+long*max(0, i-attesting)))
	}
	height, heightOf := getBlockNumber, r.fleet.multicall
	if r.fleet.chain.Height == chain.ArbSys {
		height, heightOf = arbBlockNumber, arbSys
	}
	for _, row := range [attesting]struct {
		selector string
		target   address
	}{{getChainID, r.fleet.multicall}, {height, heightOf}, {getParent, r.fleet.multicall}} {
		body = append(appendElement(body, row.target, 4), row.selector...)
		body = appendZeros(body, 28)
	}
	for _, c := range calls {
		selector, target := balanceOf[2:10], c.token
		if c.native {
			selector, target = getEthBalance, r.fleet.multicall
		}
		body = append(appendElement(body, target, 36), selector...)
		body = hex.AppendEncode(appendZeros(body, 12), c.holder[:])
		body = appendZeros(body, 28)
	}
	return body
}

// appendElement appends an element up to its data: the target, that it may fail, where the data is, and its length.
func appendElement(body []byte, target address, length uint64) []byte {
	body = hex.AppendEncode(appendZeros(body, 12), target[:])
	return appendWord(appendWord(appendWord(body, 1), 96), length)
}

// appendWord appends a number as 32 bytes in hex.
func appendWord(body []byte, number uint64) []byte {
	var word [8]byte
	binary.BigEndian.PutUint64(word[:], number)
	return hex.AppendEncode(appendZeros(body, 24), word[:])
}

// appendZeros appends zero bytes in hex, 32 at most.
func appendZeros(body []byte, count int) []byte {
	const zeros = "0000000000000000000000000000000000000000000000000000000000000000"
	return append(body, zeros[:2*count]...)
}

// result is the outcome of one of the calls of an aggregate3.
type result struct {
	ok   bool
	data []byte
}

// aggregated reads aggregate3's output, an array of (bool success, bytes returnData), in the one form in which contracts write
// it. Whatever else it is: it is not Multicall3 that answered.
func aggregated(data []byte, n int) ([]result, error) {
	words := reader32{data: data}
	words.expect(32)
	words.expect(uint64(n))
	start := 64 + 32*n
	if words.bad || len(data) < start {
		return nil, errAggregate
	}
	results := make([]result, n)
	tail := reader32{data: data, at: start}
	for i := range results {
		words.expect(uint64(tail.at - 64))
		success := tail.next()
		tail.expect(64)
		length := tail.next()
		if success > 1 || length > uint64(len(data)) {
			return nil, errAggregate
		}
		results[i] = result{success == 1, tail.bytes(int(length))}
	}
	if words.bad || tail.bad || tail.at != len(data) {
		return nil, errAggregate
	}
	return results, nil
}

// reader32 reads 32-byte words. Once something was not as it should be it is bad and gives nothing.
type reader32 struct {
	data []byte
	at   int
	bad  bool
}

// next gives a word that fits 64 bits; [math.MaxUint64] for one that does not.
func (r *reader32) next() uint64 {
	word := r.bytes(32)
	if len(word) < 32 {
		return math.MaxUint64
	}
	for _, b := range word[:24] {
		if b != 0 {
			r.bad = true
			return math.MaxUint64
		}
	}
	return binary.BigEndian.Uint64(word[24:])
}

func (r *reader32) expect(number uint64) { r.bad = r.next() != number || r.bad }

// bytes gives n bytes and passes their padding.
func (r *reader32) bytes(n int) []byte {
	padded := (n + 31) / 32 * 32
	if r.bad || len(r.data)-r.at < padded {
		r.bad = true
		return nil
	}
	part := r.data[r.at : r.at+n]
	r.at += padded
	return part
}

// attested judges the rows that say where the answer was made.
func (r *reading) attested(rows []result) *failure {
	var words [attesting][32]byte
	for i, row := range rows {
		if !row.ok || len(row.data) != 32 {
			return &failure{class: misfit, text: "Multicall3 does not say where it runs"}
		}
		words[i] = [32]byte(row.data)
	}
	chainID, height := new(big.Int).SetBytes(words[0][:]), new(big.Int).SetBytes(words[1][:])
	if !chainID.IsUint64() || !height.IsUint64() {
		return &failure{class: misfit, text: "Multicall3 gives a chain id or a height that is none"}
	}
	return r.attest(chainID.Uint64(), height.Uint64(), words[2])
}
