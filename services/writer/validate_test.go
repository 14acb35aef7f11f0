package writer

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/shared/amount"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// What a result says and the writer does not believe: an error in its place, and the lease freed.
func TestWhatCannotBeBelievedIsAnErrorThatFreesTheLease(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.exec(`UPDATE asset_on_chain SET decimals = 256 WHERE id = $1`, id(t, "a3"))
	b.exec(`INSERT INTO asset_on_chain (id, chain_id, contract_address) VALUES ('00000000-0000-0000-0000-0000000000a5', $1, '0xAbC5')`, b.chain)
	unsized := wire.Asset{ID: id(t, "a3"), Contract: "0xAbC3", Decimals: 256}
	for name, tt := range map[string]struct {
		asset  wire.Asset
		change func(*Row)
		code   string
		count  string // error_count: 0 for an endpoint error, 1 for a row error
	}{
		"another contract":          {b.token, func(r *Row) { r.Asset.Contract = "0xAbC2" }, wire.CodeAssetChanged, "0"},
		"contract in other case":    {b.token, func(r *Row) { r.Asset.Contract = "0xabc1" }, wire.CodeAssetChanged, "0"},
		"other decimals":            {b.token, func(r *Row) { r.Asset.Decimals = 18 }, wire.CodeAssetChanged, "0"},
		"native by now":             {b.token, func(r *Row) { r.Asset.Native = true }, wire.CodeAssetChanged, "0"},
		"asset of another chain":    {b.token, func(r *Row) { r.Asset = wire.Asset{ID: id(t, "a4"), Contract: "0xAbC4", Decimals: 6} }, wire.CodeAssetChanged, "0"},
		"asset that does not exist": {b.token, func(r *Row) { r.Asset.ID = r.ID }, wire.CodeAssetChanged, "0"},
		"asset without decimals":    {wire.Asset{ID: id(t, "a5"), Contract: "0xAbC5"}, func(*Row) {}, wire.CodeAssetChanged, "0"},
		"row error of another contract": {b.token, func(r *Row) {
			*r = r.fail(RowFault, wire.CodeReverted, "")
			r.Asset.Contract = "0xAbC2"
		}, wire.CodeAssetChanged, "0"},
		"leading zero":            {b.token, func(r *Row) { r.Raw = "01" }, wire.CodeMalformedResult, "0"},
		"negative":                {b.token, func(r *Row) { r.Raw = "-1" }, wire.CodeMalformedResult, "0"},
		"hex":                     {b.token, func(r *Row) { r.Raw = "0x1" }, wire.CodeMalformedResult, "0"},
		"no digits":               {b.token, func(r *Row) { r.Raw = "" }, wire.CodeMalformedResult, "0"},
		"2^256":                   {b.token, func(r *Row) { r.Raw = overMax }, wire.CodeMalformedResult, "0"},
		"warning about no digits": {b.token, func(r *Row) { r.Kind, r.Error, r.Raw = Warned, "bad_decimals", "x" }, wire.CodeMalformedResult, "0"},
		"no height":               {b.token, func(r *Row) { r.Height = 0 }, wire.CodeMalformedResult, "0"},
		"epoch below 0":           {b.token, func(r *Row) { r.Epoch = -1 }, wire.CodeMalformedResult, "0"},
		"epoch at the end":        {b.token, func(r *Row) { r.Epoch = math.MaxInt32 }, wire.CodeMalformedResult, "0"},
		"height below 0":          {b.token, func(r *Row) { r.Height = -5 }, wire.CodeMalformedResult, "0"},
		"decimals of 256":         {unsized, func(*Row) {}, wire.CodeBadDecimals, "1"},
	} {
		r := b.leasedOf(tt.asset, "balsync:a:1")
		tt.change(&r)
		outcomes, err := b.store.Apply(context.Background(), b.chain, interval, []Row{r})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if outcomes[0] != (Outcome{Failed, tt.code}) {
			t.Errorf("%s: outcome %v, want failed and %s", name, outcomes[0], tt.code)
		}
		got := b.row(r)
		b.want(got, `{"on_chain_balance_raw": null, "observed_height": null, "sync_count": 0, "error_count": `+tt.count+`}`)
		b.want(got, free)
		if text, _ := got["last_error"].(string); !strings.HasPrefix(text, tt.code) {
			t.Errorf("%s: last_error %q", name, text)
		}
	}
}

const (
	max256  = "115792089237316195423570985008687907853269984665640564039457584007913129639935"
	overMax = "115792089237316195423570985008687907853269984665640564039457584007913129639936"
)

// A native asset has no contract, whatever the table says; the claim sends none.
func TestTheContractOfANativeAssetDoesNotMatter(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	coin := wire.Asset{ID: id(t, "a2"), Decimals: 18, Native: true}
	for _, contract := range []string{"", "native", "0x0000000000000000000000000000000000000000"} {
		b.exec(`UPDATE asset_on_chain SET contract_address = $2 WHERE id = $1`, coin.ID, contract)
		b.expect(Applied, b.leasedOf(coin, "balsync:a:1"))
	}
}

// A contract that the claim had to clean for the wire is compared in that form.
func TestAContractIsComparedAsTheClaimSentIt(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	for _, contract := range []string{"0xAbC1 ", "не адрес", strings.Repeat("é", 200), strings.Repeat("a", 300)} {
		b.exec(`UPDATE asset_on_chain SET contract_address = $2 WHERE id = $1`, b.token.ID, contract)
		token := b.token
		token.Contract = wire.CleanText(string([]rune(contract)[:min(len([]rune(contract)), wire.MaxText)])) // claim.sql cuts by characters
		b.expect(Applied, b.leasedOf(token, "balsync:a:1"))
	}
}

func TestAmountsAreExactAtEveryNumberOfDecimals(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	for decimals := range 78 {
		b.exec(`UPDATE asset_on_chain SET decimals = $2 WHERE id = $1`, b.token.ID, decimals)
		token := b.token
		token.Decimals = decimals
		for _, raw := range []string{max256, "0", "1", "1" + strings.Repeat("0", 76), strings.Repeat("9", 77)} {
			r := b.leasedOf(token, "balsync:a:1")
			r.Raw = raw
			b.apply(r)
			human, err := amount.Human(raw, decimals)
			if err != nil {
				t.Fatal(err)
			}
			if got := b.text(`SELECT on_chain_balance_raw FROM wallet_balances WHERE id = $1`, r.ID); got != raw {
				t.Errorf("raw %s came back as %s", raw, got)
			}
			if got := b.text(`SELECT on_chain_balance_human FROM wallet_balances WHERE id = $1`, r.ID); got != human {
				t.Errorf("%s at %d decimals: human %s, want %s", raw, decimals, got, human)
			}
			// And by the database's own arithmetic.
			if got := b.text(`SELECT on_chain_balance_human * power(10::numeric, $2) = on_chain_balance_raw::numeric FROM wallet_balances WHERE id = $1`, r.ID, decimals); got != "true" {
				t.Errorf("%s at %d decimals is not human × 10^decimals", raw, decimals)
			}
		}
	}
}
