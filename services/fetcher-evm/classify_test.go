package fetcherevm

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// signal is an answer of a node: an HTTP status, a JSON-RPC code (0 for none) and a message.
type signal struct {
	status, code int
	message      string
}

// signals are what nodes and providers were seen or are documented to answer, by what it is about.
var signals = []struct {
	about string
	list  []signal
}{
	{"rate limit", []signal{
		{429, 0, ""}, {429, 0, "Too Many Requests"}, {200, -32005, "daily request count exceeded, request rate limited"}, {200, -32005, ""}, {200, -32007, "50/second request limit reached - reduce calls per second"},
		{200, -32007, ""}, {200, -32009, ""}, {200, -32605, ""}, {200, -32000, "rate limit"}, {200, -32000, "too many requests, please slow down"}, {200, -32000, "limit exceeded"},
		{200, -32000, "your app has exceeded its compute units per second capacity"}, {200, -32000, "request limit reached"}, {200, -32000, "requests limited to 25/sec"},
		{200, -32000, "the node is under too much load"}, {200, -32000, "you exceeded the quota"}, {503, 0, "rate limit"},
		{200, 0, "request rate exceeded the allowed_rps(10), and the query server is suspended for 5 s"}, {403, 0, "The key exceeds the frequency limit(15), and the query server is suspended for 30s"},
		{403, 0, "rate limit exceeded"},
	}},
	{"billing and authentication", []signal{
		{401, 0, ""}, {402, 0, ""}, {403, 0, ""}, {403, 0, "reached the free tier rate limit"}, {200, -32000, "Monthly capacity limit exceeded. Visit https://dashboard.example/settings/billing to upgrade"},
		{200, -32000, "monthly capacity limit"}, {200, -32000, "you have reached the free tier"}, {200, -32000, "method is above the limit for your current plan"}, {200, -32000, "see /billing"},
		{200, -32600, "Must be authenticated!"}, {200, -32600, "invalid access key"}, {200, -32000, "invalid api key"}, {200, -32000, "unauthorized"}, {200, -32000, "project key is inactive"}, {200, -32016, ""},
	}},
	{"request too large", []signal{
		{413, 0, ""}, {413, 0, "content length too large (5600973>5242880)"}, {200, -32000, "content length too large"}, {200, -32600, "batch too large"}, {200, -32000, "batch is too large"},
		{200, -32000, "batch limit 100 exceeded: 142 requests given"}, {200, -32600, "Invalid request"}, {400, -32600, "Invalid Request"}, {200, -32000, "validation errors in batch"},
		{500, 0, "Batch of more than 3 requests are not allowed on free tier"}, {200, -32000, "maximum batch size is 20"}, {200, -32000, "request entity too large"}, {200, -32000, "payload too large"},
		{200, -32000, "request is too big"}, {200, -32012, ""}, {200, -32000, "max initcode size exceeded: code size 50000 limit 49152"}, {200, -32003, "max initcode size exceeded"}, {200, -32000, "max code size exceeded: code size 26032 limit 24576"},
		{200, -38025, ""}, {200, -32003, "EVM error CreateContractSizeLimit"}, {200, -32000, "insufficient gas for floor data gas cost: have 50000000, want 72404860"},
		{200, -32000, "intrinsic gas too low"}, {200, -32000, "intrinsic gas too high"},
	}},
	{"answer too large", []signal{
		{200, -32003, "response too large"}, {200, -32000, "response too large"}, {200, -32003, ""}, {200, -32008, "Response is too big"}, {200, -32000, "response size should not greater than 10000000 bytes"}, {200, -32000, "call result exceeds the return data limit"},
	}},
	{"timeout", []signal{
		{200, -32000, "execution aborted (timeout = 5s)"}, {200, -32000, "execution timeout"}, {200, -32002, "request timed out"}, {200, -32015, ""}, {408, 0, ""}, {504, 0, ""}, {524, 0, ""},
	}},
	{"gas", []signal{
		{200, -32000, "out of gas"}, {200, -32003, "EVM error OutOfGas"}, {200, -32003, "EVM error MemoryOOG"}, {200, -32000, "gas limit is too high"}, {200, -32010, ""},
	}},
	{"tag that is not served", []signal{
		{200, -39001, "safe block not found"}, {200, -39001, "finalized block not found"}, {200, -32000, "\"safe\" is not a supported commitment level"}, {200, -32602, "malformed blocknumber"},
	}},
	{"missing block", []signal{
		{200, -32000, "header not found"}, {200, -32000, "header for hash not found"}, {200, -32001, "Resource not found."}, {200, -32000, "resource not found"}, {200, -32001, ""}, {200, 3, "Unknown block"}, {200, -32000, "unknown block"}, {200, -32000, "block not found"},
		{200, -32000, "could not find block"}, {200, -32602, "BlockOutOfRangeError: block height is 5 but requested was 9"}, {200, -32602, "block number is greater than latest"},
		{200, -32000, "requested block 9 after last accepted block 5"}, {200, -32000, "height is not available, lowest height is 5"}, {200, -32000, "cannot query unfinalized data"}, {200, -32000, "hash 00aa is not currently canonical"},
	}},
	{"pruned state", []signal{
		{200, -32000, "missing trie node 00aa (path ) state 00aa is not available"}, {200, -32000, "historical state 00aa is not available"}, {200, -32000, "required historical state unavailable (reexec=128)"},
		{200, -32000, "no state available for block 00aa"}, {200, -32002, "state not available"}, {200, -32000, "state unavailable"},
	}},
	{"unsupported", []signal{
		{200, -32601, ""}, {200, -32601, "the method eth_x does not exist/is not available"}, {200, -32000, "the method eth_x does not exist/is not available"}, {200, -32000, "method not found"}, {405, 0, ""}, {415, 0, ""}, {200, -32602, "Expected between 1 and 2 arguments and got 3"}, {200, -32602, "too many arguments, want at most 2"},
		{200, -32004, ""}, {200, -32612, ""}, {200, -32613, ""},
	}},
	{"execution", []signal{
		{200, 3, "execution reverted: nope"}, {200, 3, ""}, {200, -32000, "execution reverted"}, {200, -32015, "VM execution error."}, {200, -32015, "Reverted 0x08c379a0"}, {200, -32000, "VM Exception while processing transaction: revert"},
		{200, -32003, "EVM error: InvalidFEOpcode"}, {200, -32003, "EVM error StackUnderflow"}, {200, -32000, "invalid opcode: INVALID"}, {200, -32000, "invalid jump destination"}, {200, -32000, "stack underflow (0 <=> 1)"},
		{200, -32000, "stack limit reached 1024 (1023)"}, {200, -32000, "return data out of bounds"}, {200, -32000, "write protection"}, {200, -32000, "gas uint64 overflow"},
	}},
	{"server", []signal{{500, 0, ""}, {502, 0, "bad gateway"}, {503, 0, ""}, {503, -32603, "x"}, {200, -32603, "Internal error"}, {500, -32601, ""}, {500, 0, "too many requests"}}},
	{"what a token writes does not pose as the node's word", []signal{
		{200, 3, "execution reverted: rate limit exceeded"}, {200, 3, "execution reverted: header not found"}, {200, -32000, "execution reverted: suspended for 600s"}, {200, 3, "execution reverted: invalid api key"},
		{200, 3, "rate limit exceeded"}, {200, -32000, "VM Exception while processing transaction: revert safe block not found"}, {200, -32015, "Reverted 0x, out of gas"},
	}},
	{"unknown", []signal{{200, -32000, "something new"}, {200, 0, ""}, {200, -39001, "Unknown"}, {404, 0, "not here"}, {302, 0, ""}, {400, 0, ""}, {200, 7, ""}}},
}

// does says what becomes of a failure, from the code that decides it.
func (f *failure) does() string {
	h := handlings[f.class]
	parts := []string{"row " + h.code, "pool " + string(h.pool)}
	if h.ends {
		parts = append(parts, "ends the reading")
	}
	if h.besides != "" {
		parts = append(parts, h.besides)
	}
	if f.pause > 0 {
		parts = append(parts, fmt.Sprint("asks for ", f.pause))
	}
	return strings.Join(parts, "; ")
}

// The golden file is read by people: each line is what a node says, its class, and what is done.
func TestErrorsOfNodesAreClassified(t *testing.T) {
	var text strings.Builder
	for _, group := range signals {
		fmt.Fprintf(&text, "# %s\n", group.about)
		for _, s := range group.list {
			f := failureOf(s.status, s.code, s.message)
			fmt.Fprintf(&text, "%d %6d %-90q → %-12s → %s\n", s.status, s.code, s.message, f.class, f.does())
		}
		text.WriteByte('\n')
	}
	golden(t, "classify.golden", text.String())
}

// golden compares a text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s differs; after a look, go test -run %s -update:\n%s", path, t.Name(), diff)
	}
}

// A line that is added to the table without a signal would never be looked at.
func TestEverySignOfTheTableIsInTheGoldenFile(t *testing.T) {
	shown := func(want class, has func(signal) bool) bool {
		for _, group := range signals {
			for _, s := range group.list {
				if has(s) && classify(s.status, s.code, s.message) == want {
					return true
				}
			}
		}
		return false
	}
	for _, r := range rules {
		for _, status := range r.status {
			if !shown(r.class, func(s signal) bool { return s.status == status && s.message == "" }) {
				t.Errorf("%s: no signal with status %d alone", r.class, status)
			}
		}
		for _, code := range r.codes {
			if !shown(r.class, func(s signal) bool {
				return s.status == http.StatusOK && s.code == code && !says(r.class, strings.ToLower(s.message))
			}) {
				t.Errorf("%s: no signal that code %d decides", r.class, code)
			}
		}
		for _, part := range r.texts {
			if !shown(r.class, func(s signal) bool {
				return strings.Contains(strings.ToLower(s.message), part) && classify(s.status, s.code, "") != r.class
			}) {
				t.Errorf("%s: no signal says %q", r.class, part)
			}
		}
	}
}

func TestEveryClassIsHandled(t *testing.T) {
	source, err := os.ReadFile("failure.go")
	if err != nil {
		t.Fatal(err)
	}
	classes := regexp.MustCompile(`(?m)^\t\w+ +class += "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	if len(classes) != len(handlings) {
		t.Errorf("%d classes, %d lines in the table of what is done", len(classes), len(handlings))
	}
	for _, found := range classes {
		if h := handlings[class(found[1])]; h.code == "" || h.pool == "" {
			t.Errorf("%s has no line in the table of what is done: %+v", found[1], h)
		}
	}
}
