package fetcherevm

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/scanner"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// call is one balance to ask a node for: the row at index row, its wallet and its token.
type call struct {
	row    int
	holder address
	token  address // zero when native
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
// request, and above all never becomes a read of something else, such as the native coin. The calls are in the order of [fetch.ByAsset].
func plan(rows []fetch.Row) ([]call, []fetch.Outcome) {
	outcomes := make([]fetch.Outcome, len(rows))
	calls := make([]call, 0, len(rows))
	tokens := map[string]parsedToken{}
	for i, row := range rows {
		c := call{row: i, native: row.Asset.Native, decimals: row.Asset.Decimals}
		var err error
		if c.holder, err = parseAddress(row.Address); err != nil {
			outcomes[i] = fetch.RowError(wire.CodeBadAddress, fmt.Sprintf("%q is %v", row.Address, err))
			continue
		}
		if !c.native {
			t, known := tokens[row.Asset.Contract]
			if !known {
				t.token, t.err = parseToken(row.Asset.Contract)
				tokens[row.Asset.Contract] = t
			}
			if t.err != nil {
				outcomes[i] = fetch.RowError(wire.CodeBadToken, t.err.Error())
				continue
			}
			c.token = t.token
		}
		calls = append(calls, c)
	}
	fetch.ByAsset(calls)
	return calls, outcomes
}

// parsedToken is what [parseToken] made of a text: a claim has few tokens and many rows.
type parsedToken struct {
	token address
	err   error
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
	if a == address(scanner.OverrideAddress()) {
		return address{}, fmt.Errorf("contract %q is where the scanner is put, not a token", text)
	}
	return a, nil
}

// balanceOf is the first 4 bytes of keccak256("balanceOf(address)"), and the padding of its argument to 32 bytes.
const balanceOf = "0x70a08231" + "000000000000000000000000"

// request asks for the balance at a block, with gas as the most that the token may burn: without a limit one bad token takes
// a node's whole allowance, and the batch's.
func (c call) request(block string, gas uint64) request {
	if c.native {
		return request{"eth_getBalance", `["` + c.holder.String() + `",` + block + `]`}
	}
	return request{"eth_call", fmt.Sprintf(`[{"to":"%s","data":"%s%s","gas":"0x%x"},%s]`,
		c.token, balanceOf, hex.EncodeToString(c.holder[:]), gas, block)}
}

// ofSender reports whether the call is for the coins of the account that calls are made from, the zero address. What a contract sees
// there is not the chain's state at every client: some give the sender all the coins that there are, so that any call can be paid for.
func (c call) ofSender() bool { return c.native && c.holder == address{} }

// codeRequest asks for the contract at the token's address.
func (c call) codeRequest(block string) request {
	return request{"eth_getCode", `["` + c.token.String() + `",` + block + `]`}
}
