package fetchertron

import (
	"bytes"
	"fmt"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/scanner"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
)

// call is one balance to ask a node for: the row at index row, its wallet and its token.
type call struct {
	row    int
	holder address
	token  address // without meaning when native
	native bool
	// decimals is what the database says of the token.
	decimals int
}

// asset is the token's address, none for the coin.
func (c *call) asset() []byte {
	if c.native {
		return nil
	}
	return c.token[:]
}

// Compare orders calls by asset, the coin first.
func (c call) Compare(other call) int { return bytes.Compare(c.asset(), other.asset()) }

// plan gives the calls for those rows that can be asked for, and settles the others: a bad address or token costs no
// request, and above all never becomes a read of something else. A node answers an address that is none with an empty
// account, which looks like a balance of zero.
func plan(rows []fetch.Row) ([]call, []fetch.Outcome) {
	outcomes := make([]fetch.Outcome, len(rows))
	calls := make([]call, 0, len(rows))
	for i, row := range rows {
		c := call{row: i, native: row.Asset.Native, decimals: row.Asset.Decimals}
		var err error
		if c.holder, err = parseAddress(row.Address); err != nil {
			outcomes[i] = fetch.RowError(wire.CodeBadAddress, fmt.Sprintf("%q is %v", row.Address, err))
			continue
		}
		if !c.native {
			if c.token, err = parseToken(row.Asset.Contract); err != nil {
				outcomes[i] = fetch.RowError(wire.CodeBadToken, err.Error())
				continue
			}
		}
		calls = append(calls, c)
	}
	return calls, outcomes
}

// parseToken reads the contract of an asset that is not the native coin.
func parseToken(text string) (address, error) {
	a, err := parseAddress(text)
	if err != nil {
		return address{}, fmt.Errorf("contract %q is %w", text, err)
	}
	if a.reserved() {
		return address{}, fmt.Errorf("contract %q is zero or a precompile, not a token", text)
	}
	if scanner.Address(a.word()) == scanner.OverrideAddress() { // it would refuse the whole request, and the endpoint leave its best rung
		return address{}, fmt.Errorf("contract %q is the scanner's own, not a token", text)
	}
	return a, nil
}

// nobody is the account that calls are made for: constant calls cost it nothing.
var nobody = address{prefix}

// account asks for the holder's account.
func (c call) account() *core.Account { return &core.Account{Address: c.holder.wire()} }

// balanceOf is the first 4 bytes of keccak256("balanceOf(address)"), and the padding of its argument to 32 bytes.
var balanceOf = [16]byte{0x70, 0xa0, 0x82, 0x31}

// trigger asks the token for the holder's balance.
func (c call) trigger() *core.TriggerSmartContract {
	return &core.TriggerSmartContract{OwnerAddress: nobody.wire(), ContractAddress: c.token.wire(), Data: append(balanceOf[:], c.holder.word()...)}
}
