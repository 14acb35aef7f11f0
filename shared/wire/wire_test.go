package wire_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// claimOf gives a claim of n rows, each with an asset of its own and the given texts.
func claimOf(n int, text string) *wire.Claim {
	c := &wire.Claim{Name: "balsync:host:01J", Family: "evm", Chain: "bsc", Lane: wire.Sweep, MaxHeight: 1 << 40}
	for i := range n {
		c.Assets = append(c.Assets, wire.Asset{ID: uuid.New(), Contract: text, Decimals: 255})
		c.IDs, c.Wallets = append(c.IDs, uuid.New()), append(c.Wallets, uuid.New())
		c.Addresses, c.AssetOf, c.Epochs = append(c.Addresses, text), append(c.AssetOf, i), append(c.Epochs, 1<<30)
	}
	return c
}

func TestAClaimComesBackAsItWas(t *testing.T) {
	want := claimOf(3, "0xabc")
	data, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := wire.DecodeClaim(wire.SchemaClaims, data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheLargestClaimOfTheLongestTextsFitsOneMessage(t *testing.T) {
	for _, text := range []string{strings.Repeat("x", 5000), strings.Repeat("\x01", 5000), strings.Repeat("<", 5000), strings.Repeat("€", 5000)} {
		data, err := claimOf(wire.MaxRows, wire.CleanText(text)).Encode()
		if err != nil {
			t.Fatal(err)
		}
		if limit := 1<<20 - 2048; len(data) > limit { // headers take the rest
			t.Errorf("%q…: %d bytes, at most %d fit", text[:3], len(data), limit)
		}
	}
}

func TestAnUnknownMajorVersionIsRefused(t *testing.T) {
	data, err := claimOf(1, "x").Encode()
	if err != nil {
		t.Fatal(err)
	}
	for schema, ok := range map[string]bool{"claims/1": true, "claims/1.4": true, "claims/2": false, "claims/10": false, "results/1": false, "": false} {
		_, err := wire.DecodeClaim(schema, data)
		if ok != (err == nil) || !ok && !errors.Is(err, wire.ErrUnknownSchema) {
			t.Errorf("schema %q: %v", schema, err)
		}
	}
}

func TestAMalformedClaimIsRefused(t *testing.T) {
	breakages := map[string]func(*wire.Claim){
		"no name":           func(c *wire.Claim) { c.Name = "" },
		"no chain":          func(c *wire.Claim) { c.Chain = "" },
		"no rows":           func(c *wire.Claim) { *c = *claimOf(0, "") },
		"too many rows":     func(c *wire.Claim) { *c = *claimOf(wire.MaxRows+1, "") },
		"short column":      func(c *wire.Claim) { c.Epochs = c.Epochs[:1] },
		"index too high":    func(c *wire.Claim) { c.AssetOf[1] = 2 },
		"index below zero":  func(c *wire.Claim) { c.AssetOf[0] = -1 },
		"missing addresses": func(c *wire.Claim) { c.Addresses = nil },
	}
	for name, spoil := range breakages {
		c := claimOf(2, "x")
		spoil(c)
		data, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := wire.DecodeClaim(wire.SchemaClaims, data); !errors.Is(err, wire.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, garbage := range []string{"", "{", "null", "[]", `{"ids":["x"]}`, "\xff"} {
		if _, err := wire.DecodeClaim(wire.SchemaClaims, []byte(garbage)); !errors.Is(err, wire.ErrMalformed) {
			t.Errorf("%q: %v", garbage, err)
		}
	}
}

// resultOf gives a result of n rows, of which every third failed with the longest message.
func resultOf(n int) *wire.Result {
	r := &wire.Result{Claim: "balsync:host:01J", Family: "evm", Chain: "bsc", Endpoint: "node-a", Route: "batch", Height: 7,
		Parent: "0xaa", ObservedAt: time.Unix(1, 0).UTC(), Tip: 8, Agree: 1}
	for i := range n {
		r.Assets = append(r.Assets, wire.Asset{ID: uuid.New(), Decimals: i % 19})
		r.IDs, r.Wallets = append(r.IDs, uuid.New()), append(r.Wallets, uuid.New())
		r.AssetOf, r.Epochs, r.Raw = append(r.AssetOf, i), append(r.Epochs, 0), append(r.Raw, strings.Repeat("9", 77))
		if i%3 == 0 {
			r.Raw[i] = ""
			r.Errors = append(r.Errors, wire.RowError{Row: i, Class: wire.ClassRow, Code: wire.CodeReverted, Message: strings.Repeat("€", 200)})
		}
	}
	return r
}

func TestResultsAreSplitAndLoseNothing(t *testing.T) {
	want := resultOf(wire.MaxRows)
	parts, err := want.Encode(64 << 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(parts) < 2 {
		t.Fatalf("%d parts", len(parts))
	}
	row := 0
	for _, data := range parts {
		if len(data) > 64<<10 {
			t.Errorf("a part of %d bytes", len(data))
		}
		got, err := wire.DecodeResult(wire.SchemaResults, data)
		if err != nil {
			t.Fatal(err)
		}
		failed := map[int]bool{}
		for _, e := range got.Errors {
			failed[e.Row] = true
		}
		for i := range got.IDs {
			same := got.IDs[i] == want.IDs[row] && got.Raw[i] == want.Raw[row] && got.Assets[got.AssetOf[i]] == want.Assets[row] && failed[i] == (row%3 == 0)
			if !same || got.Height != 7 || got.Claim != want.Claim {
				t.Fatalf("row %d came back as %v", row, got.IDs[i])
			}
			row++
		}
	}
	if row != wire.MaxRows {
		t.Errorf("%d rows came back", row)
	}
}

func TestOneRowThatDoesNotFitIsAnError(t *testing.T) {
	if _, err := resultOf(1).Encode(100); err == nil {
		t.Error("accepted")
	}
}

func TestAMalformedResultIsRefused(t *testing.T) {
	breakages := map[string]func(*wire.Result){
		"neither value nor error": func(r *wire.Result) { r.Raw[1] = "" },
		"two errors of a row":     func(r *wire.Result) { r.Errors = append(r.Errors, r.Errors[0]) },
		"error out of range":      func(r *wire.Result) { r.Errors[0].Row = 9 },
		"row error with a value":  func(r *wire.Result) { r.Raw[0] = "1" },
		"warning without a value": func(r *wire.Result) { r.Errors[0].Class = wire.ClassWarning },
		"unknown class":           func(r *wire.Result) { r.Errors[0].Class = "other" },
		"no code":                 func(r *wire.Result) { r.Errors[0].Code = "" },
		"short column":            func(r *wire.Result) { r.Raw = r.Raw[:1] },
		"no claim":                func(r *wire.Result) { r.Claim = "" },
		"bad index":               func(r *wire.Result) { r.AssetOf[0] = 5 },
	}
	for name, spoil := range breakages {
		r := resultOf(2)
		spoil(r)
		parts, err := r.Encode(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := wire.DecodeResult(wire.SchemaResults, parts[0]); !errors.Is(err, wire.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNodeTextIsCutValidUTF8AndFreeOfNUL(t *testing.T) {
	tests := []struct{ in, want string }{
		{"execution reverted", "execution reverted"},
		{"a\x00b\nc\x7f", "a b c "},
		{"bad \xff\xfe", "bad ?"},
		{strings.Repeat("€", 300), strings.Repeat("€", 200)},
		{"", ""},
	}
	for _, tt := range tests {
		got := wire.CleanError(tt.in)
		if got != tt.want || !utf8.ValidString(got) || strings.ContainsRune(got, 0) {
			t.Errorf("CleanError(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestCleanTextLeavesAddressesAndSpoilsNothingIntoOne(t *testing.T) {
	for in, want := range map[string]string{
		"0xcA11bde05977b3631167028862bE2a173976CA11": "0xcA11bde05977b3631167028862bE2a173976CA11",
		"TEazPvZwDjDtFeJupyo7QunvnrnUjPH8ED":         "TEazPvZwDjDtFeJupyo7QunvnrnUjPH8ED",
		"a\"b\\c<d>\n":                               "a?b?c?d??",
	} {
		if got := wire.CleanText(in); got != want {
			t.Errorf("CleanText(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestChainOfReadsOnlyOurSubjects(t *testing.T) {
	for subject, want := range map[string]string{
		wire.ClaimSubject("evm", "bsc", wire.Fast): "evm bsc true", wire.ResultSubject("tron", "tron"): "tron tron true",
		"results.evm": "  false", "claims.evm.bsc": "  false", "dlq.results.evm.bsc": "  false", "": "  false",
	} {
		family, chain, ok := wire.ChainOf(subject)
		if got := fmt.Sprintf("%s %s %t", family, chain, ok); got != want {
			t.Errorf("ChainOf(%q) = %s, want %s", subject, got, want)
		}
	}
}

func ExampleResultID() {
	fmt.Println(wire.ResultID("balsync:host:01J", 2, 0))
	// Output: balsync:host:01J:2:0
}
