package faulty

import (
	"encoding/json"
	"fmt"
)

// Lag is a node that is n blocks behind the one it stands for. It does not have the blocks above and says so in geth's words.
func Lag(n int64) *Fault {
	f := &Fault{}
	f.ask = func(x *exchange, c *Call) (*Reply, error) {
		at, reads := blockAt(c.Method)
		if !reads || at >= len(c.Params) {
			return nil, nil
		}
		head, err := x.newest()
		if err != nil {
			return nil, err
		}
		top := max(head-n, 0)
		height, err := x.height(c.Params[at])
		if err != nil {
			return nil, err
		}
		switch tag := string(c.Params[at]); {
		case height <= top:
			return nil, nil
		case tag == `"latest"`, tag == `"pending"`, tag == `"safe"`, tag == `"finalized"`:
			f.hits.Add(1)
			c.Params[at] = quantity(top)
			return nil, nil
		case c.Method == "eth_getBlockByNumber":
			f.hits.Add(1)
			return &Reply{Result: json.RawMessage("null")}, nil
		case tag[0] == '{':
			return f.refuse(-32000, "header for hash not found"), nil
		}
		return f.refuse(-32000, "header not found"), nil
	}
	f.tell = func(_ *exchange, c Call, r *Reply) error {
		if c.Method == "eth_blockNumber" {
			return f.raise(r, -n)
		}
		return nil
	}
	return f
}

// IgnorePin is a node that reads at the block n below its newest, whatever block a call names.
func IgnorePin(n int64) *Fault {
	f := &Fault{}
	f.ask = func(x *exchange, c *Call) (*Reply, error) {
		at, reads := blockAt(c.Method)
		if !reads || at >= len(c.Params) || c.Method == "eth_getBlockByNumber" {
			return nil, nil
		}
		head, err := x.newest()
		if err != nil {
			return nil, err
		}
		f.hits.Add(1)
		c.Params[at] = quantity(max(head-n, 0))
		return nil, nil
	}
	return f
}

// Ahead is a node whose every height is n too high: that of its headers, that which a contract is told, and those that it takes.
func Ahead(n int64) *Fault {
	f := &Fault{}
	f.ask = func(x *exchange, c *Call) (*Reply, error) {
		at, reads := blockAt(c.Method)
		if !reads || at >= len(c.Params) {
			return nil, nil
		}
		height, err := x.height(c.Params[at])
		if err != nil {
			return nil, err
		}
		if c.Params[at][0] == '"' && height > n {
			height -= n
			c.Params[at] = quantity(height)
		}
		if c.Method == "eth_call" && len(c.Params) <= 3 && height >= 0 {
			for len(c.Params) < 3 {
				c.Params = append(c.Params, json.RawMessage("{}"))
			}
			c.Params = append(c.Params, json.RawMessage(fmt.Sprintf(`{"number":"0x%x"}`, height+n)))
		}
		return nil, nil
	}
	f.tell = func(_ *exchange, c Call, r *Reply) error {
		switch {
		case c.Method == "eth_blockNumber":
			return f.raise(r, n)
		case c.Method == "eth_getBlockByNumber" && r.Error == nil && string(r.Result) != "null":
			var header map[string]json.RawMessage
			if err := json.Unmarshal(r.Result, &header); err != nil {
				return err
			}
			height := Reply{Result: header["number"]}
			if err := f.raise(&height, n); err != nil {
				return err
			}
			header["number"] = height.Result
			var err error
			r.Result, err = json.Marshal(header)
			return err
		}
		return nil
	}
	return f
}

// raise adds n to a reply that is a number.
func (f *Fault) raise(r *Reply, n int64) error {
	var text string
	if err := json.Unmarshal(r.Result, &text); err != nil {
		return err
	}
	height, err := number(text)
	if err != nil {
		return err
	}
	f.hits.Add(1)
	r.Result = quantity(max(height+n, 0))
	return nil
}

// ChainID is a node that says that it is of another chain. [Front.Swap] puts one there that is.
func ChainID(id int64) *Fault {
	f := &Fault{}
	f.tell = func(_ *exchange, c Call, r *Reply) error {
		if c.Method == "eth_chainId" {
			f.hits.Add(1)
			*r = Reply{Version: r.Version, ID: r.ID, Result: quantity(id)}
		}
		return nil
	}
	return f
}
