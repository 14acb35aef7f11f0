package claimer

import (
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func TestClaimLeasesADueRowAndSaysWhatToRead(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	token := d.token(bsc, "0xToken")
	id := d.row(token)
	d.set("observed_epoch = 3, observed_height = 77, last_error = 'reverted', error_count = 2, priority = 1", id)

	before := time.Now()
	c := claim(t, d.store(), bsc, 10)
	if len(c.Rows) != 1 || c.Verdicts[Leased] != 1 || c.Picked != 1 || c.Last != d.seq(id) || c.Lapsed != 0 {
		t.Fatalf("claimed %+v", c)
	}
	wallet := uuid.UUID(get[[16]byte](d, "SELECT wallet_id FROM wallet_balances"))
	want := Row{ID: id, Wallet: wallet, Address: "0x" + strings.Repeat("0", 39) + "1", Epoch: 3, Height: 77,
		Asset: wire.Asset{ID: token, Contract: "0xToken", Decimals: 18}}
	if diff := cmp.Diff(want, c.Rows[0]); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(c.Name, "balsync:test:") || len(c.Name) != len("balsync:test:")+26 {
		t.Errorf("name %q", c.Name)
	}
	// Trusted for less than it lasts: from before the request, less a margin.
	if left := c.Deadline.Sub(before); left < 55*time.Second || left > 56*time.Second {
		t.Errorf("deadline %s after the request, of a lease of 1m", left)
	}
	d.want(id, held(c.Name), "locked_until BETWEEN now() + interval '50 s' AND now() + interval '1 min'",
		"due_at = '-infinity'", "error_count = 2 AND last_error = 'reverted' AND last_error_at IS NULL")
}

func TestClaimClearsThePriority(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	id := d.row(d.token(bsc, "0x1"))
	d.set("priority = 2", id)
	if v := verdictOf(t, d.store(), bsc); v != Leased {
		t.Fatal(v)
	}
	d.want(id, "priority = 0")
}

func TestRowWithoutATargetIsARowErrorAndBacksOff(t *testing.T) {
	for name, spoil := range map[string]string{
		"no address":        "UPDATE wallets SET address = NULL",
		"no decimals":       "UPDATE asset_on_chain SET decimals = NULL",
		"no asset any more": "DELETE FROM asset_on_chain",
		"no wallet":         "DELETE FROM wallets",
		"wallet null":       "ALTER TABLE wallet_balances DISABLE TRIGGER USER; UPDATE wallet_balances SET wallet_id = NULL",
	} {
		t.Run(name, func(t *testing.T) {
			d := newDatabase(t)
			bsc := d.chain("bsc")
			id := d.row(d.token(bsc, "0x1"))
			d.set("error_count = 3, priority = 2", id)
			for sql := range strings.SplitSeq(spoil, ";") {
				d.do(sql)
			}
			if v := verdictOf(t, d.store(), bsc); v != NoTarget {
				t.Fatal(v)
			}
			// 15 s doubled three times, half of it jitter.
			d.want(id, free, "last_error = 'no_target' AND last_error_at > now() - interval '1 min'", "error_count = 4", "priority = 0",
				"due_at BETWEEN now() + interval '55 s' AND now() + interval '121 s'")
			if c := claim(t, d.store(), bsc, 10); c.Picked != 0 {
				t.Errorf("picked again at once: %v", c.Verdicts)
			}
		})
	}
}

func TestTwoActiveAddressesAreAmbiguous(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	id := d.row(d.token(bsc, "0x1"))
	d.addresses(`SELECT id AS wallet_id, NULL::uuid AS chain_id, 'a'::text AS address, true AS active FROM wallets
		UNION ALL SELECT id, (SELECT id FROM chains), 'b', NULL FROM wallets`)
	if v := verdictOf(t, d.store(), bsc); v != AmbiguousAddress {
		t.Fatal(v)
	}
	d.want(id, free, "last_error = 'ambiguous_address'", "error_count = 1", "due_at > now()")
}

func TestOfSeveralAddressesTheActiveOneIsRead(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	d.row(d.token(bsc, "0x1"))
	d.addresses(`SELECT id AS wallet_id, NULL::uuid AS chain_id, 'off'::text AS address, false AS active FROM wallets
		UNION ALL SELECT id, NULL, 'on', true FROM wallets
		UNION ALL SELECT id, gen_random_uuid(), 'elsewhere', true FROM wallets`)
	c := claim(t, d.store(), bsc, 10)
	if len(c.Rows) != 1 || c.Rows[0].Address != "on" {
		t.Fatalf("claimed %+v", c)
	}
}

func TestInactiveAddressIsPutOffWithoutAnError(t *testing.T) {
	d := newDatabase(t)
	bsc := d.chain("bsc")
	id := d.row(d.token(bsc, "0x1"))
	d.addresses("SELECT id AS wallet_id, NULL::uuid AS chain_id, address::text AS address, false AS active FROM wallets")
	if v := verdictOf(t, d.store(), bsc); v != Inactive {
		t.Fatal(v)
	}
	d.want(id, free, "last_error IS NULL AND last_error_at IS NULL AND error_count = 0",
		"due_at BETWEEN now() + interval '4 min' AND now() + interval '5 min'")
}

func TestRowWhoseAssetMovedJoinsTheOtherChainAndForgetsItsBalance(t *testing.T) {
	d := newDatabase(t)
	bsc, base := d.chain("bsc"), d.chain("base")
	id := d.row(d.token(bsc, "0x1"))
	d.set("on_chain_balance_raw = '5', observed_height = 9, observed_epoch = 2, due_at = now() - interval '1 h'", id)
	d.do("UPDATE asset_on_chain SET chain_id = $1", base)

	c := claim(t, d.store(), bsc, 10)
	if c.Verdicts[Moved] != 1 || len(c.Rows) != 0 || len(c.Moved) != 1 || c.Moved[0] != id {
		t.Fatalf("claimed %+v", c)
	}
	d.want(id, free, "last_error IS NULL AND error_count = 0", "due_at < now()")
	if n, err := d.store().Rehome(t.Context(), c.Moved); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	d.want(id, "chain_id = '"+base.String()+"'", "on_chain_balance_raw IS NULL AND observed_height IS NULL AND observed_epoch = 3")
	if n, err := d.store().Rehome(t.Context(), c.Moved); err != nil || n != 0 {
		t.Errorf("moved %d rows again, %v", n, err)
	}
	if v := verdictOf(t, d.store(), base); v != Leased {
		t.Error(v)
	}
}

func TestARowBusyElsewhereIsNotMoved(t *testing.T) {
	d := newDatabase(t)
	bsc, base := d.chain("bsc"), d.chain("base")
	id := d.row(d.token(bsc, "0x1"))
	d.do("UPDATE asset_on_chain SET chain_id = $1", base)
	c := claim(t, d.store(), bsc, 10)
	d.set("processing_status = 'withdrawing'", id)
	if n, err := d.store().Rehome(t.Context(), c.Moved); err != nil || n != 0 {
		t.Fatal(n, err)
	}
	d.want(id, "chain_id = '"+bsc.String()+"'")
}
