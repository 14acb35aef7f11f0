//go:build !race

package fetcherevm

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/evmdev/faulty"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// FAULTS 26. Each shape stands in the place of the answers, on every rung, of a node that was well until then.
func TestNoMalformedAnswerBecomesAValueOnAnyRung(t *testing.T) {
	fixed := func(text string) func(string) string { return func(string) string { return text } }
	swap := func(old, new string) func(string) string {
		return func(body string) string { return strings.ReplaceAll(body, old, new) }
	}
	result := func(change func(hex string) string) func(string) string { // of every string result
		return func(body string) string {
			parts := strings.Split(body, `"result":"0x`)
			for i := range parts[1:] {
				hex, rest, _ := strings.Cut(parts[i+1], `"`)
				parts[i+1] = change(hex) + `"` + rest
			}
			return strings.Join(parts, `"result":"0x`)
		}
	}
	scanned := func(at int, with string) func(string) string { // one byte of what the scanner returned; of nothing else
		return result(func(hex string) string {
			if len(hex) < 2*at+2 || !strings.HasPrefix(hex, "01000000") {
				return hex
			}
			return hex[:2*at] + with + hex[2*at+2:]
		})
	}
	shapes := map[string]func(string) string{
		"nothing": fixed(""), "spaces": fixed("   "), "text": fixed("ok"), "null": fixed("null"), "true": fixed("true"), "a number": fixed("7"),
		"an empty array": fixed("[]"), "an array of nulls": fixed("[null,null]"), "an array in an array": fixed("[[]]"), "an empty object": fixed("{}"),
		"an object": fixed(`{"jsonrpc":"2.0","id":1,"result":"0x7"}`), "HTML": fixed("<html>0x7</html>"), "XML": fixed(`<?xml version="1.0"?><a/>`),
		"deep nesting":                   fixed(strings.Repeat("[", 100_000)),
		"half of it":                     func(body string) string { return body[:len(body)/2] },
		"twice":                          func(body string) string { return body + body },
		"text behind it":                 func(body string) string { return body + "x" },
		"no result":                      swap(`"result":`, `"other":`),
		"result and error":               swap(`"result":`, `"error":{"code":-1,"message":"x"},"result":`),
		"error only":                     swap(`"result":`, `"error":`),
		"null results":                   swap(`"result":"0x`, `"result":null,"x":"0x`),
		"other ids":                      swap(`"id":`, `"id":99`),
		"text ids":                       swap(`"id":`, `"id":"x","y":`),
		"null ids":                       swap(`"id":`, `"id":null,"y":`),
		"version 1":                      swap(`"2.0"`, `"1.0"`),
		"0x":                             result(func(string) string { return "" }),
		"not hex":                        result(func(hex string) string { return strings.Repeat("z", len(hex)) }),
		"odd digits":                     result(func(hex string) string { return hex + "0" }),
		"a byte more":                    result(func(hex string) string { return hex + "00" }),
		"a byte less":                    result(func(hex string) string { return hex[:max(0, len(hex)-2)] }),
		"half the result":                result(func(hex string) string { return hex[:len(hex)/4*2] }),
		"all zeros":                      result(func(hex string) string { return strings.Repeat("0", len(hex)) }),
		"all ones":                       result(func(hex string) string { return strings.Repeat("f", len(hex)) }),
		"another version of the scanner": scanned(0, "02"), "another chain": scanned(11, "99"), "another height": scanned(19, "99"), "more rows than were sent": scanned(28, "ff"),
		"another parent": scanned(40, "00"), "an entry of no known length": scanned(64, "77"),
	}
	node := geth(t, chainID)
	rows := goodRows(node, 3)[4:12]
	eachWay(t, func(t *testing.T, at rung) {
		front := faulty.Open(t, node.URL())
		for name, shape := range shapes {
			front.Off()
			r := readerOf(t, setupAt(at), chainOf(front.URL()))
			mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0)) // the block is chosen, the tokens are known
			fault := faulty.Rewrite(shape)
			front.On(fault)
			outcomes := r.Read(t.Context(), rows, 0)
			for i, o := range outcomes {
				if o.Raw != "" {
					mustBeTrue(t, node, rows[i:i+1], outcomes[i:i+1])
				} else if o.Err == nil || o.Err.Class != wire.ClassEndpoint && !slices.Contains([]string{wire.CodeEmptyReturn, wire.CodeShortReturn, wire.CodeNoContract}, o.Err.Code) {
					t.Errorf("%s: row %d: %+v", name, i, o.Err)
				}
			}
			if fault.Hits() == 0 {
				t.Errorf("%s: the fault was not met", name)
			}
		}
	})
}

// A gigabyte in answer to a few rows: hardly any of it is read, and none of it is kept.
func TestAGigabyteIsNotReadOnAnyRung(t *testing.T) {
	node := geth(t, chainID)
	rows := goodRows(node, 2)[4:6]
	eachWay(t, func(t *testing.T, at rung) {
		front := faulty.Open(t, node.URL())
		r := readerOf(t, setupAt(at), chainOf(front.URL()))
		mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
		front.On(faulty.Flood(1 << 30))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		noValue(t, r.Read(t.Context(), rows, 0))
		runtime.ReadMemStats(&after)
		// What was ever allocated bounds what was held.
		if took := after.TotalAlloc - before.TotalAlloc; took > 256<<20 {
			t.Errorf("%d MB were allocated", took>>20)
		}
		if front.Sent() > 128<<20 {
			t.Errorf("%d MB were sent", front.Sent()>>20)
		}
	})
}
