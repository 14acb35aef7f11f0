package scanner

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Address is an account or a contract as the virtual machine knows it: 20 bytes, on TRON those after the 0x41.
type Address = [20]byte

// MaxGroup is how many holders a group can have: its count has 16 bits.
const MaxGroup = math.MaxUint16

// floorMargin is the gas that a row needs besides its call: access to cold accounts, bookkeeping, and the answer.
const floorMargin = 20_000

var (
	errZeroToken   = errors.New("the zero address is no token")
	errOwnToken    = errors.New("the scanner's own address is no token")
	errUnsetGroup  = errors.New("group was made neither by Native nor by Token")
	errNoHolders   = errors.New("group has no holders")
	errManyHolders = errors.New("group has more than 65535 holders")
)

// Group asks for the balances of one asset. It is made by [Native] or by [Token]; the zero Group asks for nothing and is
// refused, so a contract address that was never filled in cannot become a question for the chain's own coin.
type Group struct {
	kind    kind
	token   Address
	holders []Address
}

// kind is what a group asks for. On the wire a native group is one whose token is zero; here the two are told apart.
type kind byte

const (
	native kind = iota + 1
	token
)

// Native asks for the holders' balances of the chain's own coin. The group keeps the slice.
func Native(holders []Address) Group { return Group{kind: native, holders: holders} }

// Token asks for the holders' balances of a token. The zero address is an error, and so is [OverrideAddress]. The caller
// keeps out precompiles, which answer with what is no balance. The group keeps the slice.
func Token(contract Address, holders []Address) (Group, error) {
	switch contract {
	case Address{}:
		return Group{}, errZeroToken
	case OverrideAddress():
		return Group{}, errOwnToken
	}
	return Group{kind: token, token: contract, holders: holders}, nil
}

// Rows is how many rows the groups have together: the `sent` of [Decode].
func Rows(groups []Group) int {
	rows := 0
	for i := range groups {
		rows += len(groups[i].holders)
	}
	return rows
}

// Floor is the least gas at which the program begins another row when each call may burn callGas. See doc.go for why no
// less will do. A callGas above 4,227,000,000 has no floor in 32 bits: [AppendInput] refuses it.
func Floor(callGas uint32) uint32 {
	return uint32(min(floor(callGas), math.MaxUint32))
}

func floor(callGas uint32) uint64 {
	return uint64(callGas) + uint64(callGas)/63 + floorMargin
}

// FloorDeposit is what to add to [Floor] in the forms Constructor and ConstructorArbitrum for a call of so many rows:
// the gas that the node takes at the end for the code that the answer is to it, 200 a byte. Without it such a call that
// runs short of gas fails whole instead of giving a prefix.
func FloorDeposit(rows int) uint32 {
	return uint32(min(200*uint64(HeaderSize+MaxRowSize*max(rows, 0)), math.MaxUint32))
}

// AppendInput appends the input for the groups to dst and returns it. The answer has one row for each holder, in this
// order; there are no ids. It refuses a floorGas below [Floor] of callGas, since then a good row could be reported as
// failed, and any group that no constructor made, that has no holders, or more than [MaxGroup]. No groups at all asks
// for the header alone. It allocates nothing when dst has room for 8 bytes, 22 a group and 20 a holder. On an error dst
// is returned as it was.
func AppendInput(dst []byte, callGas, floorGas uint32, groups []Group) ([]byte, error) {
	if uint64(floorGas) < floor(callGas) {
		return dst, fmt.Errorf("encode scan: floor %d is below %d, what calls of %d gas need", floorGas, floor(callGas), callGas)
	}
	out := binary.BigEndian.AppendUint32(dst, callGas)
	out = binary.BigEndian.AppendUint32(out, floorGas)
	for i := range groups {
		g := &groups[i]
		if err := g.check(); err != nil {
			return dst, fmt.Errorf("encode scan, group %d: %w", i, err)
		}
		out = binary.BigEndian.AppendUint16(out, uint16(len(g.holders)))
		out = append(out, g.token[:]...)
		for j := range g.holders {
			out = append(out, g.holders[j][:]...)
		}
	}
	return out, nil
}

// check says why a group cannot be sent.
func (g *Group) check() error {
	switch {
	case g.kind == token && g.token == Address{}:
		return errZeroToken
	case g.kind != native && g.kind != token:
		return errUnsetGroup
	case len(g.holders) == 0:
		return errNoHolders
	case len(g.holders) > MaxGroup:
		return errManyHolders
	}
	return nil
}
