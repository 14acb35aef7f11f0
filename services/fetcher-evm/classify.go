package fetcherevm

import (
	"net/http"
	"slices"
	"strings"

	"github.com/balance-sync/balance-sync/shared/upstream"
)

// rule names the signs of one class: HTTP statuses, parts of the message in lower case, and JSON-RPC codes.
type rule struct {
	class  class
	status []int
	texts  []string
	codes  []int
}

// rules are in the order in which they are tried, which is that of eRPC's normaliser with a missing block before a revert: texts
// overlap ("safe block not found" is about the tag, "block not found" about the block), and so do codes, which mean different
// things at different vendors. Sources: geth 1.17.10 and anvil 1.7.1 by experiment, the others by the documentation and issues of
// clients and providers. testdata/classify.golden shows what each means.
var rules = []rule{
	{oversized, []int{http.StatusRequestEntityTooLarge}, []string{"content length too large", "batch too large", "batch is too large", "batch limit", "batch of more than",
		"maximum batch size", "validation errors in batch", "request entity too large", "payload too large", "request is too big", "max initcode size exceeded",
		"max code size exceeded", "createcontractsizelimit", "insufficient gas for floor data gas cost", "intrinsic gas too"}, []int{-32012, -38025}},
	{overlong, nil, []string{"response too large", "is too big", "response size should not", "return data limit"}, []int{-32003}},
	{barred, []int{http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden}, []string{"monthly capacity limit", "reached the free tier",
		"limit for your current plan", "/billing", "be authenticated", "access key", "invalid api key", "unauthorized", "key is inactive"}, []int{-32016}},
	{limited, []int{http.StatusTooManyRequests}, []string{"rate limit", "too many requests", "limit exceeded", "has exceeded", "request limit reached",
		"requests limited to", "under too much load", "exceeded the quota", "frequency limit", "suspended for"}, []int{-32005, -32007, -32009, -32605}},
	{untagged, nil, []string{"safe block not found", "finalized block not found", "is not a supported commitment", "malformed blocknumber"}, nil},
	{lagging, nil, []string{"header not found", "header for hash not found", "resource not found", "unknown block", "block not found", "could not find block", "blockoutofrange", "greater than latest",
		"after last accepted block", "height is not available", "cannot query unfinalized", "not currently canonical"}, []int{-32001}},
	{pruned, nil, []string{"missing trie node", "historical state", "no state available", "state not available", "state unavailable"}, nil},
	{slow, []int{http.StatusRequestTimeout, http.StatusGatewayTimeout, 524}, []string{"execution aborted (timeout", "execution timeout", "request timed out"}, nil},
	{burnt, nil, []string{"out of gas", "outofgas", "memoryoog", "gas limit is too high"}, []int{-32010}},
	{reverted, nil, []string{"execution reverted", "vm exception", "vm execution error", "evm error", "invalid opcode", "invalid jump destination", "stack underflow",
		"stack limit reached", "return data out of bounds", "write protection", "gas uint64 overflow"}, []int{3}},
	{slow, nil, nil, []int{-32015}},
	{unsupported, []int{http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType}, []string{"does not exist/is not available", "method not found"},
		[]int{-32601, -32602, -32004, -32612, -32613}},
}

// ownWords begin the message of a call whose code failed. What follows them was written by the token, which could pose as
// anything: "execution reverted: rate limit exceeded" must not take an endpoint out.
var ownWords = []string{"execution reverted", "vm exception while processing transaction", "reverted 0x"}

// classify names the failure that an HTTP status (200 when the answer came as it should), a JSON-RPC code (0 for none)
// and a message mean: by status where it says it all, then by text, then by code, since vendors agree least on codes.
func classify(status, code int, message string) class {
	text := strings.ToLower(message)
	for _, words := range ownWords {
		if strings.HasPrefix(text, words) {
			return reverted
		}
	}
	if status == http.StatusForbidden && says(limited, text) && !says(barred, text) {
		return limited // so a firewall in front of a provider refuses a rate; without a word it is the key
	}
	for _, r := range rules {
		if slices.Contains(r.status, status) {
			return r.class
		}
	}
	switch {
	case status == http.StatusOK && code == -32600 && strings.Contains(text, "invalid request"):
		return oversized // anvil's answer to a body above its limit
	case code == 3 && !says(lagging, text): // some use 3 for a block that they lack
		return reverted
	}
	for _, r := range rules {
		if r.says(text) {
			return r.class
		}
	}
	for _, r := range rules {
		if slices.Contains(r.codes, code) {
			return r.class
		}
	}
	switch {
	case status >= http.StatusInternalServerError:
		return down
	case code == -32603:
		return crashed
	}
	return garbage
}

// failureOf is the failure that an HTTP status, a JSON-RPC code and a message mean, with the pause that the provider asks for in
// words. Only of a rate limit is that the provider's word for sure.
func failureOf(status, code int, message string) *failure {
	f := &failure{class: classify(status, code, message), text: message}
	if f.class == limited {
		f.pause = upstream.PauseOf(message)
	}
	return f
}

// says reports whether one of the rule's texts is part of the text.
func (r rule) says(text string) bool {
	return slices.ContainsFunc(r.texts, func(part string) bool { return strings.Contains(text, part) })
}

// says reports whether a rule of the class knows the text.
func says(c class, text string) bool {
	return slices.ContainsFunc(rules, func(r rule) bool { return r.class == c && r.says(text) })
}
