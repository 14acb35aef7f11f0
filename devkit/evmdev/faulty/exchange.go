package faulty

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// exchange is one HTTP request on its way through the faults.
type exchange struct {
	front  *Front
	target string
	faults []*Fault
	body   []byte
	// calls are those of the body, none when it is not JSON-RPC.
	calls []Call
	batch bool
	// head is the node's newest block in this exchange, 0 before it was asked for.
	head int64
}

// decode reads a body of JSON-RPC.
func decode(body []byte) (batch bool, calls []Call) {
	if body = bytes.TrimSpace(body); bytes.HasPrefix(body, []byte("[")) {
		if json.Unmarshal(body, &calls) != nil {
			return false, nil
		}
		return true, calls
	}
	var one Call
	if json.Unmarshal(body, &one) != nil {
		return false, nil
	}
	return false, []Call{one}
}

// plain reports whether no fault looks into the calls, so that the node's own bytes are the answer.
func (x *exchange) plain() bool {
	for _, f := range x.faults {
		if f.ask != nil || f.tell != nil || f.pack != nil {
			return false
		}
	}
	return true
}

// answer gives status and body, as the faults that look into the calls make it.
func (x *exchange) answer(ctx context.Context) (int, []byte, error) {
	if len(x.calls) == 0 || x.plain() {
		return x.front.post(ctx, x.target, x.body)
	}
	replies := make([]*Reply, len(x.calls))
	var pending []Call
	var places []int
	for i, c := range x.calls {
		c.Params = append([]json.RawMessage(nil), c.Params...)
		for _, f := range x.faults {
			if f.ask == nil || replies[i] != nil {
				continue
			}
			reply, err := f.ask(x, &c)
			if err != nil {
				return 0, nil, err
			}
			replies[i] = reply
		}
		if replies[i] == nil {
			pending, places = append(pending, c), append(places, i)
		}
	}
	if len(pending) > 0 {
		got, status, raw, err := x.forward(ctx, pending)
		if err != nil || got == nil {
			return status, raw, err // the node's answer is not one to each call: it stands for all
		}
		for i, place := range places {
			replies[place] = &got[i]
		}
	}
	all := make([]Reply, len(replies))
	for i, reply := range replies {
		all[i] = *reply
		all[i].Version, all[i].ID = "2.0", x.calls[i].ID
		for _, f := range x.faults {
			if f.tell == nil {
				continue
			}
			if err := f.tell(x, x.calls[i], &all[i]); err != nil {
				return 0, nil, err
			}
		}
	}
	body, err := x.encode(all)
	return 200, body, err
}

// encode writes the replies as the calls came.
func (x *exchange) encode(all []Reply) ([]byte, error) {
	if !x.batch {
		return json.Marshal(all[0])
	}
	for _, f := range x.faults {
		if f.pack != nil {
			all = f.pack(all)
		}
	}
	return json.Marshal(all)
}

// forward asks the node. The replies are nil when it did not answer each call.
func (x *exchange) forward(ctx context.Context, calls []Call) ([]Reply, int, []byte, error) {
	var body []byte
	var err error
	if x.batch {
		body, err = json.Marshal(calls)
	} else {
		body, err = json.Marshal(calls[0])
	}
	if err != nil {
		return nil, 0, nil, err
	}
	status, raw, err := x.front.post(ctx, x.target, body)
	if err != nil || status != 200 {
		return nil, status, raw, err
	}
	var list []Reply
	if !x.batch {
		list = make([]Reply, 1)
		err = json.Unmarshal(raw, &list[0])
	} else {
		err = json.Unmarshal(raw, &list)
	}
	if err != nil || len(list) != len(calls) {
		return nil, status, raw, nil
	}
	byID := map[string]Reply{}
	for _, reply := range list {
		byID[string(reply.ID)] = reply
	}
	replies := make([]Reply, len(calls))
	for i, c := range calls {
		reply, known := byID[string(c.ID)]
		if !known {
			return nil, status, raw, nil
		}
		replies[i] = reply
	}
	return replies, status, raw, nil
}

// result asks the node for one thing on the front's own behalf.
func (x *exchange) result(method, params string, into any) error {
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, method, params)
	_, raw, err := x.front.post(context.Background(), x.target, []byte(body))
	if err != nil {
		return err
	}
	var reply Reply
	if err := json.Unmarshal(raw, &reply); err != nil {
		return err
	}
	if reply.Error != nil {
		return fmt.Errorf("%s: %s", method, reply.Error.Message)
	}
	return json.Unmarshal(reply.Result, into)
}

// newest is the node's newest block, the same throughout an exchange.
func (x *exchange) newest() (int64, error) {
	if x.head > 0 {
		return x.head, nil
	}
	var text string
	if err := x.result("eth_blockNumber", "[]", &text); err != nil {
		return 0, err
	}
	var err error
	x.head, err = number(text)
	return x.head, err
}

// height is the block that a call names, -1 when the node does not know it.
func (x *exchange) height(block json.RawMessage) (int64, error) {
	var tag string
	if json.Unmarshal(block, &tag) == nil {
		if strings.HasPrefix(tag, "0x") {
			return number(tag)
		}
		if tag == "latest" || tag == "pending" {
			return x.newest()
		}
		return x.numberOf("eth_getBlockByNumber", fmt.Sprintf("[%q,false]", tag))
	}
	var named struct{ BlockHash, BlockNumber string }
	if err := json.Unmarshal(block, &named); err != nil {
		return 0, fmt.Errorf("read block %s: %w", block, err)
	}
	if named.BlockHash == "" {
		return number(named.BlockNumber)
	}
	return x.numberOf("eth_getBlockByHash", fmt.Sprintf("[%q,false]", named.BlockHash))
}

func (x *exchange) numberOf(method, params string) (int64, error) {
	var header *struct{ Number string }
	if err := x.result(method, params, &header); err != nil || header == nil {
		return -1, nil // the node will say it in its own words
	}
	return number(header.Number)
}

func number(text string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimPrefix(text, "0x"), 16, 64)
	if err != nil {
		return 0, fmt.Errorf("read number %q: %w", text, err)
	}
	return n, nil
}

func quantity(n int64) json.RawMessage { return json.RawMessage(fmt.Sprintf(`"0x%x"`, n)) }
