package fetcherevm

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/balance-sync/balance-sync/shared/wire"
)

// answer is what a node said of one balance: a value (raw), an error of the row or its token (code and text), or a
// failure of the node itself (failed).
type answer struct {
	raw        string
	code, text string
	failed     *failure
}

// answer reads a reply. Nothing but a whole number that the node gave becomes a value: an empty, short or missing
// return is an error, never a zero.
func (c call) answer(r reply) answer {
	if r.failed != nil {
		return c.refused(r.failed)
	}
	var text string
	if err := json.Unmarshal(r.result, &text); err != nil || len(r.result) == 0 || string(r.result) == "null" {
		return answer{failed: garbled("a balance that is not a string: %s", r.result)}
	}
	if c.native {
		value, err := parseQuantity(text)
		if err != nil {
			return answer{failed: garbled("a native balance of %q: %v", text, err)}
		}
		return answer{raw: value.String()}
	}
	data, err := parseData(text)
	switch {
	case err != nil:
		return answer{failed: garbled("a return of %q: %v", text, err)}
	case len(data) == 0:
		return answer{code: wire.CodeEmptyReturn, text: "balanceOf returned nothing"}
	case len(data) < 32:
		return answer{code: wire.CodeShortReturn, text: fmt.Sprintf("balanceOf returned %d bytes, not 32", len(data))}
	}
	// By the rule of the ABI the first word is the answer; what follows it is not ours to judge.
	return answer{raw: new(big.Int).SetBytes(data[:32]).String()}
}

// refused tells a token that fails from a node that does. Reading the native coin runs no code: it cannot revert.
func (c call) refused(f *failure) answer {
	switch {
	case c.native:
	case f.class == reverted:
		return answer{code: wire.CodeReverted, text: f.text}
	case f.class == burnt:
		return answer{code: wire.CodeGasExceeded, text: f.text}
	}
	return answer{failed: f}
}

var (
	errPrefix  = errors.New("it must begin with 0x")
	errDigits  = errors.New("it must be hex digits")
	errPadding = errors.New("a quantity has no leading zeros")
	errRange   = errors.New("it is above 2^256-1")
)

// parseQuantity reads a number as JSON-RPC writes it: 0x, then hex digits without leading zeros; "0x" alone is no number.
func parseQuantity(text string) (*big.Int, error) {
	digits, found := strings.CutPrefix(text, "0x")
	switch {
	case !found:
		return nil, errPrefix
	case digits == "" || strings.Trim(digits, "0123456789abcdefABCDEF") != "":
		return nil, errDigits
	case len(digits) > 1 && digits[0] == '0':
		return nil, errPadding
	case len(digits) > 64:
		return nil, errRange
	}
	value, ok := new(big.Int).SetString(digits, 16)
	if !ok {
		return nil, errDigits
	}
	return value, nil
}

// parseHeight reads a quantity that is a block's number.
func parseHeight(text string) (int64, error) {
	value, err := parseQuantity(text)
	if err == nil && !value.IsInt64() {
		err = errRange
	}
	if err != nil {
		return 0, err
	}
	return value.Int64(), nil
}

// parseData reads bytes as JSON-RPC writes them: 0x and two hex digits a byte.
func parseData(text string) ([]byte, error) {
	digits, found := strings.CutPrefix(text, "0x")
	if !found {
		return nil, errPrefix
	}
	data, err := hex.DecodeString(digits)
	if err != nil {
		return nil, errDigits
	}
	return data, nil
}
