package faulty

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
)

// Fault is one way to misbehave. It may be on at several fronts at once.
type Fault struct {
	hits atomic.Int64

	// Each may be nil. serve answers the whole request and reports that it did; the rest see single calls and their replies.
	serve func(x *exchange, w http.ResponseWriter, r *http.Request) bool
	// ask changes a call on its way to the node, or answers it in the node's place.
	ask func(x *exchange, c *Call) (*Reply, error)
	// tell changes the reply to a call, which is as it was asked by the client.
	tell func(x *exchange, c Call, r *Reply) error
	// pack changes the replies of a batch as a whole.
	pack func(replies []Reply) []Reply
	// send writes the answer.
	send func(w http.ResponseWriter, r *http.Request, body []byte)
}

// Hits counts what the fault did since it was made: answers that it gave, changed or withheld.
func (f *Fault) Hits() int64 { return f.hits.Load() }

// Call is a request of JSON-RPC.
type Call struct {
	Version string            `json:"jsonrpc"`
	ID      json.RawMessage   `json:"id"`
	Method  string            `json:"method"`
	Params  []json.RawMessage `json:"params"`
}

// Reply is the answer to a Call: a result or an error.
type Reply struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *Error          `json:"error,omitempty"`
}

// Error is the error of a Reply.
type Error struct {
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// refuse gives a reply in the node's place.
func (f *Fault) refuse(code int, message string) *Reply {
	f.hits.Add(1)
	return &Reply{Error: &Error{Code: code, Message: message}}
}

// blockAt is where a call names the block that it reads at; false if it reads at none.
func blockAt(method string) (int, bool) {
	switch method {
	case "eth_getBalance", "eth_call", "eth_getCode":
		return 1, true
	case "eth_getBlockByNumber":
		return 0, true
	}
	return 0, false
}
