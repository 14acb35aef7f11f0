package fetcherevm

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// JSON-RPC 2.0, strictly. go-ethereum's client is not used for it: it takes any id for the answer to a single call, takes the
// first of two answers with the same id, and forgets the message of an error that answers a whole batch.

// request is a method and its parameters as JSON.
type request struct{ method, params string }

// reply is the answer to one request: a result as JSON, nil when it was null, or why there is none.
type reply struct {
	result json.RawMessage
	failed *failure
}

// append adds the request to a body.
func (r request) append(body []byte, id uint64) []byte {
	body = appendHead(body, id, r.method)
	body = append(body, r.params...)
	return append(body, '}')
}

// appendHead adds a request up to its parameters, which and a brace are to follow.
func appendHead(body []byte, id uint64, method string) []byte {
	body = append(body, `{"jsonrpc":"2.0","id":`...)
	body = strconv.AppendUint(body, id, 10)
	body = append(body, `,"method":"`...)
	body = append(body, method...)
	return append(body, `","params":`...)
}

// encodeBatch gives the body for the requests, whose ids count up from first.
func encodeBatch(requests []request, first uint64) []byte {
	body := append(make([]byte, 0, 256*len(requests)), '[')
	for i, r := range requests {
		if i > 0 {
			body = append(body, ',')
		}
		body = r.append(body, first+uint64(i))
	}
	return append(body, ']')
}

// envelope is a message of an answer.
type envelope struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  json.RawMessage `json:"result"`
	Error   json.RawMessage `json:"error"`
}

func absent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// id gives the message's id, false when it is not one of ours, which are plain numbers.
func (e envelope) id() (uint64, bool) {
	id, err := strconv.ParseUint(string(e.ID), 10, 64)
	return id, err == nil
}

// reply opens the envelope.
func (e envelope) reply() reply {
	switch {
	case !absent(e.Error) && !absent(e.Result):
		return reply{failed: garbled("both a result and an error")}
	case !absent(e.Error):
		code, message := readError(e.Error)
		f := failureOf(http.StatusOK, code, message)
		f.said = true
		return reply{failed: f}
	case e.Version != "2.0":
		return reply{failed: garbled("a message of JSON-RPC version %q", e.Version)}
	case e.Result == nil:
		return reply{failed: garbled("neither a result nor an error")}
	case absent(e.Result):
		return reply{}
	}
	return reply{result: e.Result}
}

// readError reads an error object, or what some gateways put in its place.
func readError(raw json.RawMessage) (code int, message string) {
	var object struct {
		Code    json.Number `json:"code"`
		Message string      `json:"message"`
	}
	if err := json.Unmarshal(raw, &object); err == nil {
		code, _ = strconv.Atoi(object.Code.String()) // a code that is no whole number says nothing
		return code, object.Message
	}
	var text string
	if err := json.Unmarshal(raw, &text); err == nil {
		return 0, text
	}
	return 0, string(raw)
}

// errorOf finds the error in a body that came with an HTTP error: JSON-RPC's own, or whatever text it is, but no page.
func errorOf(body []byte) (code int, message string) {
	var one envelope
	if err := json.Unmarshal(body, &one); err == nil && !absent(one.Error) {
		return readError(one.Error)
	}
	var many []envelope
	if err := json.Unmarshal(body, &many); err == nil && len(many) > 0 && !absent(many[0].Error) {
		return readError(many[0].Error)
	}
	if body = bytes.TrimSpace(body); bytes.HasPrefix(body, []byte("<")) {
		return 0, ""
	}
	return 0, string(body)
}

// decodeSingle reads the answer to the single request id.
func decodeSingle(body []byte, id uint64) reply {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return reply{failed: notJSON(body, err)}
	}
	r := e.reply()
	// A node that refuses a request may not know its id. But what a token's code did in another request is no row's error in this one.
	got, ok := e.id()
	if another := ok && got != id; (!ok || another) && absent(e.Error) || another && (r.failed.class == reverted || r.failed.class == burnt) {
		return reply{failed: garbled("an answer to request %s, not %d", e.ID, id)}
	}
	return r
}

// decodeData reads the answer to the single request id whose result is bytes. The answer of the usual shape costs no more than
// turning its digits into bytes; any other one goes the long way, which says what is wrong with it.
func decodeData(body []byte, id uint64) ([]byte, *failure) {
	usual := append(strconv.AppendUint(append(make([]byte, 0, 64), `{"jsonrpc":"2.0","id":`...), id, 10), `,"result":"0x`...)
	if digits, found := bytes.CutPrefix(body, usual); found {
		if digits, found = bytes.CutSuffix(bytes.TrimRight(digits, " \t\r\n"), []byte(`"}`)); found {
			data := make([]byte, hex.DecodedLen(len(digits)))
			if _, err := hex.Decode(data, digits); err == nil {
				return data, nil
			}
		}
	}
	r := decodeSingle(body, id)
	if r.failed != nil {
		return nil, r.failed
	}
	var text string
	if err := json.Unmarshal(r.result, &text); err != nil || r.result == nil {
		return nil, &failure{class: misfit, text: "a return that is not a string"}
	}
	data, err := parseData(text)
	if err != nil {
		return nil, &failure{class: misfit, text: "a return that is not bytes: " + err.Error()}
	}
	return data, nil
}

// decodeBatch reads the answer to n requests whose ids count up from first, in whatever order. The failure is that of
// the whole batch. An element that was not answered has a failure of its own; an id that occurs twice or was never
// sent spoils the whole, since then nothing says which answer is whose.
func decodeBatch(body []byte, first uint64, n int) ([]reply, *failure) {
	if body = bytes.TrimLeft(body, " \t\r\n"); len(body) == 0 || body[0] != '[' {
		return nil, notABatch(body)
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	if _, err := decoder.Token(); err != nil {
		return nil, notJSON(body, err)
	}
	replies, answered := make([]reply, n), make([]bool, n)
	count := 0
	var last reply
	for ; decoder.More(); count++ {
		var e envelope
		if err := decoder.Decode(&e); err != nil {
			return nil, notJSON(body, err)
		}
		last = e.reply()
		id, ok := e.id()
		at := id - first
		switch {
		case ok && id >= first && at < uint64(n) && !answered[at]:
			answered[at], replies[at] = true, last
		case !absent(e.Error) && last.failed != nil:
			return nil, last.failed // an error that names no request of ours is about all of them
		default:
			return nil, garbled("an answer to %s, which was asked once or never", e.ID)
		}
	}
	if err := ended(decoder); err != nil {
		return nil, notJSON(body, err)
	}
	if count == 1 && n > 1 && last.failed != nil {
		return nil, last.failed // geth refuses a batch in the name of its first element
	}
	for i := range replies {
		if !answered[i] {
			replies[i].failed = garbled("no answer to this element of the batch")
		}
	}
	return replies, nil
}

// ended checks that the array closes and that nothing follows it.
func ended(decoder *json.Decoder) error {
	if _, err := decoder.Token(); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the answer")
	}
	return nil
}

// notABatch is the failure of a body that is not an array: an error about the whole batch, or no answer.
func notABatch(body []byte) *failure {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return notJSON(body, err)
	}
	if r := e.reply(); r.failed != nil && !absent(e.Error) {
		return r.failed
	}
	return garbled("an object in answer to a batch")
}

// notJSON says what came in place of JSON without repeating it: it may be a page of a gateway's.
func notJSON(body []byte, err error) *failure {
	switch trimmed := bytes.TrimSpace(body); {
	case len(trimmed) == 0:
		return garbled("an empty answer")
	case trimmed[0] == '<':
		return garbled("a page of HTML or XML, not JSON")
	}
	return garbled("not the JSON that was asked for: %v", err)
}
