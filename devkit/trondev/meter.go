package trondev

import (
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/vm"
)

// What operations take java-tron's machine, after its own timings of batches: 50 balances of a token 1.8 ms, 200 8.0, 400 19, 600
// 32, 1,000 66, 2,000 252; a coin balance 10 µs. It grows faster than the rows because each call to a token copies the storage
// rows of it that the calls before have read.
const (
	timeOfStep = 100 * time.Nanosecond
	timeOfHash = time.Microsecond // each 136 bytes, as keccak takes them
	timeOfCoin = 700 * time.Nanosecond
	timeOfCall = 27 * time.Microsecond
	timeOfRow  = 60 * time.Nanosecond // once for each row read before
)

// meter stands for the clock that java-tron reads before every operation: it adds up what the operations would take there,
// so that a call is cut off at the same place on any machine under any load. A call's own cost is booked where it ends.
type meter struct {
	budget time.Duration // 0: no limit
	spent  time.Duration
	rows   map[common.Address]int // storage rows that the calls have read, by contract
	began  time.Time              // not zero: the time is measured and not metered
	steps  uint
}

// step books one operation, before it runs, and says whether the time is up.
func (m *meter) step(op vm.OpCode, scope tracing.OpContext, depth int) bool {
	m.steps++
	if !m.began.IsZero() {
		if m.steps%64 == 0 {
			m.spent = time.Since(m.began)
		}
		return m.budget > 0 && m.spent > m.budget
	}
	m.spent += timeOfStep
	switch op {
	case vm.BALANCE:
		m.spent += timeOfCoin
	case vm.KECCAK256:
		m.spent += timeOfHash * time.Duration(1+hashed(scope)/136)
	case vm.SLOAD:
		m.rows[scope.Address()]++
	case vm.RETURN, vm.STOP, vm.REVERT:
		if depth > 1 {
			m.spent += timeOfCall + time.Duration(m.rows[scope.Address()])*timeOfRow
		}
	}
	return m.budget > 0 && m.spent > m.budget
}

// hashed is how many bytes KECCAK256 is about to read.
func hashed(scope tracing.OpContext) uint64 {
	stack := scope.StackData()
	if len(stack) < 2 || !stack[len(stack)-2].IsUint64() {
		return 0 // the operation is about to fail
	}
	return min(stack[len(stack)-2].Uint64(), mostHashed)
}

// mostHashed is more than the energy of a call pays for.
const mostHashed = 1 << 30
