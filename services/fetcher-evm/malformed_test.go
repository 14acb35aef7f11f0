package fetcherevm

import (
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/evmdev"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// Each shape stands in the place of the node's answer to a batch or a call, for a node that is otherwise right.
func TestMalformedAnswersAreNeverValues(t *testing.T) {
	node := geth(t, chainID)
	rows := goodRows(node, 3)[8:10] // a coin and a token of a wallet that has both
	fixed := func(text string) func(exchange) string { return func(exchange) string { return text } }
	first := func(old, new string) func(exchange) string {
		return func(e exchange) string { return strings.Replace(e.answer, old, new, 1) }
	}
	result := func(with string) func(exchange) string {
		return func(e exchange) string { // of every balance; the chain id's is short
			parts := strings.Split(e.answer, `"result":"`)
			for i := range parts[1:] {
				value, rest, _ := strings.Cut(parts[i+1], `"`)
				if len(value) > 8 {
					parts[i+1] = "\x00" + rest
				}
			}
			return strings.ReplaceAll(strings.Join(parts, `"result":"`), "\"result\":\"\x00", `"result":`+with)
		}
	}
	shapes := map[string]func(exchange) string{
		"nothing":                fixed(""),
		"HTML":                   fixed("<html><body>hello</body></html>"),
		"text":                   fixed("ok"),
		"null":                   fixed("null"),
		"a number":               fixed("7"),
		"an empty array":         fixed("[]"),
		"an array of nulls":      fixed("[null,null,null]"),
		"an object":              fixed(`{"jsonrpc":"2.0","id":1,"result":"0x7"}`),
		"an object without id":   fixed(`{"jsonrpc":"2.0","result":"0x7"}`),
		"truncated":              func(e exchange) string { return e.answer[:len(e.answer)/2] },
		"trailing text":          func(e exchange) string { return e.answer + "x" },
		"twice":                  func(e exchange) string { return e.answer + e.answer },
		"another version":        func(e exchange) string { return strings.ReplaceAll(e.answer, `"2.0"`, `"1.0"`) },
		"ids as text":            func(e exchange) string { return strings.ReplaceAll(e.answer, `"id":`, `"id":"x","was":`) },
		"ids of others":          func(e exchange) string { return strings.ReplaceAll(e.answer, `"id":`, `"id":99`) },
		"one id for all":         first(`"id":`, `"id":0,"was":`),
		"results are null":       result(`null`),
		"results are numbers":    result(`7`),
		"results are objects":    result(`{"value":"0x7"}`),
		"results are empty text": result(`""`),
		"results are 0x":         result(`"0x"`),
		"results lack 0x":        result(`"77"`),
		"results are negative":   result(`"-0x7"`),
		"results are not hex":    result(`"0xzz"`),
		"results are decimal":    result(`"12345"`),
		"results are 33 bytes":   result(`"0x1` + strings.Repeat("00", 32) + `"`),
		"results and errors": func(e exchange) string {
			return strings.ReplaceAll(e.answer, `"result":`, `"error":{"code":-1,"message":"x"},"result":`)
		},
		"errors are text":     func(e exchange) string { return strings.ReplaceAll(e.answer, `"result":`, `"error":`) },
		"errors without code": func(e exchange) string { return strings.ReplaceAll(e.answer, `"result":`, `"error":{},"r":`) },
		"neither":             func(e exchange) string { return strings.ReplaceAll(e.answer, `"result":`, `"other":`) },
	}
	for name, shape := range shapes {
		for at := override; at <= single; at++ {
			t.Run(name+", "+at.String(), func(t *testing.T) { malformed(t, node, rows, at, name, shape) })
		}
	}
}

// malformed reads rows from a node whose answers have the shape.
func malformed(t *testing.T, node *evmdev.Node, rows []fetch.Row, at rung, name string, shape func(exchange) string) {
	node.Intercept(nil)
	r := readerOf(t, setupAt(at), chainOf(node.URL()))
	mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0)) // so that the reads meet the shape, and not the search for the block
	rewrite(node, shape)
	for i, o := range r.Read(t.Context(), rows, 0) {
		truth, err := node.Balance(node.Head(), rows[i].Asset.Contract, rows[i].Address)
		if err != nil {
			t.Fatal(err)
		}
		if o.Raw != "" && o.Raw != truth.String() {
			t.Errorf("row %d got %s, the state has %s", i, o.Raw, truth)
		}
		if o.Raw == "" && (o.Err == nil || o.Err.Class != wire.ClassEndpoint && o.Err.Code != wire.CodeEmptyReturn && o.Err.Code != wire.CodeShortReturn && o.Err.Code != wire.CodeNoContract) {
			t.Errorf("row %d: %+v", i, o.Err)
		}
		if o.Raw != "" && name != "ids of others" {
			t.Errorf("row %d got a value, if a right one", i)
		}
	}
}

func TestAnswersAreMatchedByID(t *testing.T) {
	node := geth(t, chainID)
	r := readerOf(t, setupAt(batch), chainOf(node.URL()))
	reverse := func(e exchange) string {
		if !strings.HasPrefix(e.answer, "[") {
			return e.answer
		}
		elements := strings.Split(strings.Trim(strings.TrimSpace(e.answer), "[]"), "},{")
		for i, j := 0, len(elements)-1; i < j; i, j = i+1, j-1 {
			elements[i], elements[j] = elements[j], elements[i]
		}
		for i := range elements {
			elements[i] = "{" + strings.Trim(elements[i], "{}") + "}"
		}
		return "[" + strings.Join(elements, ",") + "]"
	}
	rewrite(node, reverse)
	rows := goodRows(node, 10)
	mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
}
