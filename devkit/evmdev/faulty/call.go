package faulty

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"github.com/balance-sync/balance-sync/devkit/evmdev"
)

// executed is the first parameter of an eth_call.
func executed(c Call) (map[string]json.RawMessage, error) {
	var call map[string]json.RawMessage
	if c.Method != "eth_call" || len(c.Params) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(c.Params[0], &call); err != nil {
		return nil, fmt.Errorf("read call %s: %w", c.Params[0], err)
	}
	return call, nil
}

// GasCap is a node whose calls may spend at most gas: it lowers what a call asks for, or gives to one that asks for nothing, and says
// nothing of it.
func GasCap(gas int64) *Fault {
	f := &Fault{}
	f.ask = func(_ *exchange, c *Call) (*Reply, error) {
		call, err := executed(*c)
		if err != nil || call == nil {
			return nil, err
		}
		if asked := call["gas"]; asked != nil {
			n, err := number(strings.Trim(string(asked), `"`))
			if err != nil || n <= gas {
				return nil, err
			}
		}
		f.hits.Add(1)
		call["gas"] = quantity(gas)
		c.Params[0], err = json.Marshal(call)
		return nil, err
	}
	return f
}

// RefuseOverrides is a node that takes two parameters of eth_call and no third.
func RefuseOverrides() *Fault {
	f := &Fault{}
	f.ask = func(_ *exchange, c *Call) (*Reply, error) {
		if c.Method != "eth_call" || len(c.Params) < 3 {
			return nil, nil
		}
		return f.refuse(-32602, "too many arguments, want at most 2"), nil
	}
	return f
}

// IgnoreOverrides is a node that takes the third parameter of eth_call and does not look at it.
func IgnoreOverrides() *Fault {
	f := &Fault{}
	f.ask = func(_ *exchange, c *Call) (*Reply, error) {
		if c.Method == "eth_call" && len(c.Params) > 2 {
			f.hits.Add(1)
			c.Params = c.Params[:2]
		}
		return nil, nil
	}
	return f
}

// RefuseInitcode is a node that executes no code without an address.
func RefuseInitcode() *Fault {
	f := &Fault{}
	f.ask = func(_ *exchange, c *Call) (*Reply, error) {
		call, err := executed(*c)
		if to := string(call["to"]); err != nil || call == nil || to != "" && to != "null" {
			return nil, err
		}
		return f.refuse(-32602, "missing field `to`"), nil
	}
	return f
}

// DropRevertData is a node that gives a revert's message and keeps its data.
func DropRevertData() *Fault {
	f := &Fault{}
	f.tell = func(_ *exchange, _ Call, r *Reply) error {
		if r.Error != nil && r.Error.Data != nil {
			f.hits.Add(1)
			r.Error.Data = nil
		}
		return nil
	}
	return f
}

// Lie is a node on which the wallet holds value of the token, the empty one being the chain's own coin. It lies by another state, so
// every way to ask gets the same lie.
func Lie(node *evmdev.Node, token, wallet string, value *big.Int) (*Fault, error) {
	account, state := wallet, fmt.Sprintf(`{"balance":"0x%x"}`, value)
	if token != "" {
		slot, err := node.BalanceSlot(token, wallet)
		if err != nil {
			return nil, err
		}
		account, state = token, fmt.Sprintf(`{"stateDiff":{"%s":"0x%064x"}}`, slot, value)
	}
	f := &Fault{}
	f.ask = func(_ *exchange, c *Call) (*Reply, error) {
		switch {
		case c.Method == "eth_getBalance" && token == "" && len(c.Params) > 0 && strings.EqualFold(strings.Trim(string(c.Params[0]), `"`), wallet):
			f.hits.Add(1)
			return &Reply{Result: json.RawMessage(fmt.Sprintf(`"0x%x"`, value))}, nil
		case c.Method != "eth_call" || len(c.Params) < 2:
			return nil, nil
		}
		overrides := map[string]json.RawMessage{}
		if len(c.Params) > 2 {
			if err := json.Unmarshal(c.Params[2], &overrides); err != nil {
				return nil, fmt.Errorf("read overrides %s: %w", c.Params[2], err)
			}
		}
		overrides[account] = json.RawMessage(state)
		encoded, err := json.Marshal(overrides)
		if err != nil {
			return nil, err
		}
		f.hits.Add(1)
		c.Params = append(c.Params[:2:2], append([]json.RawMessage{encoded}, c.Params[min(3, len(c.Params)):]...)...)
		return nil, nil
	}
	return f, nil
}
