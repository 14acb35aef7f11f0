package fetcherevm

import (
	"testing"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/fetch"
)

func TestEveryValueIsThatOfTheStateAtItsHeight(t *testing.T) {
	node := geth(t, chainID)
	rows := goodRows(node, 120)
	for _, tt := range []struct {
		name, route string
		best        rung
		batch       int
	}{{"scanner by override", "scanner-override", override, 100}, {"scanner as initcode", "scanner-create", create, 100}, {"by Multicall3", "multicall3", multicall, 100},
		{"by batch", "batch", batch, 100}, {"by batches of one call", "batch", batch, 2}, {"one by one", "single", single, 100}, {"batches switched off", "single", batch, 1}} {
		t.Run(tt.name, func(t *testing.T) {
			config := setupAt(tt.best)
			config.BatchSize = tt.batch
			r := readerOf(t, config, chainOf(node.URL()))
			outcomes := r.Read(t.Context(), rows, 0)
			mustBeTrue(t, node, rows, outcomes)
			zeros, longest := 0, 0
			for _, o := range outcomes {
				if o.Raw == "0" {
					zeros++
				}
				longest = max(longest, len(o.Raw))
				if o.Proof.Route != tt.route || o.Proof.Endpoint != "node-0" || o.Proof.Height != node.Head() || o.Proof.Finality != "latest" || len(o.Proof.Parent) != 66 {
					t.Fatalf("proof %+v", o.Proof)
				}
			}
			if zeros == 0 || longest != 78 {
				t.Errorf("%d true zeros and at most %d digits: the rows do not cover what they should", zeros, longest)
			}
		})
	}
}

func TestValuesFollowTheChain(t *testing.T) {
	node := geth(t, chainID)
	rows := goodRows(node, 10)
	r := readerOf(t, setup(), chainOf(node.URL()))
	before := r.Read(t.Context(), rows, 0)
	if err := node.Churn(t.Context(), 0, 10); err != nil {
		t.Fatal(err)
	}
	for _, n := range r.fleet.nodes {
		n.unpin() // a block serves for a second
	}
	after := r.Read(t.Context(), rows, 0)
	mustBeTrue(t, node, rows, before)
	mustBeTrue(t, node, rows, after)
	if before[1].Proof.Height >= after[1].Proof.Height || before[1].Raw == after[1].Raw {
		t.Errorf("block %d: %s, block %d: %s", before[1].Proof.Height, before[1].Raw, after[1].Proof.Height, after[1].Raw)
	}
}

func TestFinalityChoosesTheBlock(t *testing.T) {
	node := geth(t, chainID)
	if err := node.CommitN(70); err != nil {
		t.Fatal(err)
	}
	rows := goodRows(node, 2)
	for _, text := range []string{"latest", "latest-1", "latest-4", "safe", "finalized"} {
		finality, err := chain.ParseFinality(chain.EVM, text)
		if err != nil {
			t.Fatal(err)
		}
		c := chainOf(node.URL())
		c.Finality = finality
		outcomes := readerOf(t, setup(), c).Read(t.Context(), rows, 0)
		mustBeTrue(t, node, rows, outcomes)
		height := outcomes[0].Proof.Height
		if finality.Tag == "latest" && height != node.Head()-finality.Lag || height > node.Head() || outcomes[0].Proof.Finality != text {
			t.Errorf("%s: block %d of %d", text, height, node.Head())
		}
	}
}

func TestClaimsInHandShareOneBlock(t *testing.T) {
	node := geth(t, chainID)
	r := readerOf(t, setup(), chainOf(node.URL()))
	rows := goodRows(node, 1)
	first := r.Read(t.Context(), rows, 0)
	requests := node.Requests()
	second := r.Read(t.Context(), rows, 0)
	if cost := node.Requests() - requests; cost != 1 {
		t.Errorf("the second read cost %d requests, want only its batch", cost)
	}
	if first[0].Proof.Height != second[0].Proof.Height {
		t.Errorf("blocks %d and %d", first[0].Proof.Height, second[0].Proof.Height)
	}
}

func TestANodeWithoutBlockHashesIsReadByNumber(t *testing.T) {
	node := geth(t, chainID)
	refuseHashes(node)
	rows := goodRows(node, 5)
	outcomes := readerOf(t, setup(), chainOf(node.URL())).Read(t.Context(), rows, 0)
	mustBeTrue(t, node, rows, outcomes)
}

func TestRowsOfBadAddressesAndTokensCostNoRequest(t *testing.T) {
	node := geth(t, chainID)
	r := readerOf(t, setup(), chainOf(node.URL()))
	good := node.Tokens()[0].Address
	rows := []fetch.Row{
		rowOf(native(), "not an address"), rowOf(native(), ""), rowOf(native(), good[:41]), rowOf(native(), good+"0"), rowOf(native(), good[2:]),
		rowOf(token(good), "TEazPvZwDjDtFeJupyo7QunvnrnUjPH8ED"),
		rowOf(token(""), good), rowOf(token("0x0000000000000000000000000000000000000000"), good),
		rowOf(token("0x0000000000000000000000000000000000000004"), good), rowOf(token("nothing"), good),
	}
	before := node.Requests()
	got := codes(r.Read(t.Context(), rows, 0))
	if got["row bad_address"] != 6 || got["row bad_token"] != 4 || node.Requests() != before {
		t.Errorf("%v, %d requests", got, node.Requests()-before)
	}
}
