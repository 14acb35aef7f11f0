package faulty

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// whole is a fault that answers every request with a status and a body.
func whole(status int, headers map[string]string, body string) *Fault {
	f := &Fault{}
	f.serve = func(_ *exchange, w http.ResponseWriter, _ *http.Request) bool {
		f.hits.Add(1)
		for key, value := range headers {
			w.Header().Set(key, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
	return f
}

// Status is a node, or what stands before it, that answers with a status and no more: 401, 429, 500, 502.
func Status(status int) *Fault { return whole(status, nil, "") }

// RateLimit is 429 with a Retry-After: seconds, or a date; empty for none.
func RateLimit(retryAfter string) *Fault {
	headers := map[string]string{}
	if retryAfter != "" {
		headers["Retry-After"] = retryAfter
	}
	return whole(http.StatusTooManyRequests, headers, `{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"too many requests"}}`)
}

// Suspended is 403 with a text that says for how many seconds, as TronGrid and some EVM gateways have it, and no header.
func Suspended(seconds int) *Fault {
	return whole(http.StatusForbidden, nil, fmt.Sprintf(
		`{"Error":"The key exceeds the frequency limit(15), and the query server is suspended for %d s"}`, seconds))
}

// RateLimitText is 200 with the code and the text of a provider for being over the rate, in answer to a batch or a call.
func RateLimitText(code int, text string) *Fault {
	return whole(http.StatusOK, nil, `{"jsonrpc":"2.0","id":null,"error":{"code":`+strconv.Itoa(code)+`,"message":`+strconv.Quote(text)+`}}`)
}

// HTML is a gateway's page with status 200.
func HTML() *Fault {
	return whole(http.StatusOK, map[string]string{"Content-Type": "text/html"}, "<!DOCTYPE html><html><body><h1>Welcome</h1>0x7</body></html>")
}

// BodyLimit refuses bodies above most bytes with 413, in geth's words.
func BodyLimit(most int) *Fault {
	f := &Fault{}
	f.serve = func(x *exchange, w http.ResponseWriter, _ *http.Request) bool {
		if len(x.body) <= most {
			return false
		}
		f.hits.Add(1)
		http.Error(w, fmt.Sprintf("content length too large (%d>%d)", len(x.body), most), http.StatusRequestEntityTooLarge)
		return true
	}
	return f
}

// Form is how a vendor words the refusal of a batch that is too long.
type Form struct {
	// Name is the vendor's.
	Name   string
	status int
	body   string // LIMIT, BATCH and ID stand for the limit, the elements of the batch, and the first one's id
}

// Forms are those that are known.
var Forms = []Form{
	{"geth", 200, `[{"jsonrpc":"2.0","id":ID,"error":{"code":-32600,"message":"batch too large"}}]`},
	{"erigon", 200, `{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"batch limit LIMIT exceeded: BATCH requests given"}}`},
	{"anvil", 200, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid request"}}`},
	{"drpc", 500, `{"id":ID,"jsonrpc":"2.0","error":{"message":"Batch of more than LIMIT requests are not allowed on free tier, to use this feature register paid account","code":31}}`},
	{"validation", 400, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"validation errors in batch"}}`},
	{"code only", 200, `[{"jsonrpc":"2.0","id":null,"error":{"code":-32012,"message":"not served"}}]`},
}

// BatchLimit refuses batches of more than most elements in a vendor's form.
func BatchLimit(most int, form Form) *Fault {
	f := &Fault{}
	f.serve = func(x *exchange, w http.ResponseWriter, _ *http.Request) bool {
		if !x.batch || len(x.calls) <= most {
			return false
		}
		f.hits.Add(1)
		w.WriteHeader(form.status)
		words := strings.NewReplacer("LIMIT", strconv.Itoa(most), "BATCH", strconv.Itoa(len(x.calls)), "ID", string(x.calls[0].ID))
		_, _ = words.WriteString(w, form.body)
		return true
	}
	return f
}
