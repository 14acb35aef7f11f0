package trondev_test

import (
	"math/big"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/trondev"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
)

func TestTheHeadViewShowsWhatNoBlockHasAndTheSolidViewDoesNot(t *testing.T) {
	n := start(t, trondev.Config{Chain: 7, Wallets: 3, SolidLag: 2})
	c := dial(t, n.URL())
	for _, token := range []string{"", n.Tokens()[0].Address} {
		wallet, before := n.Wallet(1), truth(t, n, n.Head(), token, n.Wallet(1))
		expect := func(when string, head, solid *big.Int) {
			t.Helper()
			if have := c.headBalance(t, token, wallet); have.Cmp(head) != 0 {
				t.Errorf("%s, token %q: the head view has %s, want %s", when, token, have, head)
			}
			if have := c.solidBalance(t, token, wallet); have.Cmp(solid) != 0 {
				t.Errorf("%s, token %q: the solid view has %s, want %s", when, token, have, solid)
			}
		}
		pending := big.NewInt(4242)
		if err := n.Pend(token, wallet, pending); err != nil {
			t.Fatal(err)
		}
		expect("in the mempool", pending, before)
		n.Drop()
		expect("dropped", before, before)
		if err := n.Pend(token, wallet, pending); err != nil {
			t.Fatal(err)
		}
		commit(t, n, 1)
		expect("in a block", pending, before)
		n.Drop()
		expect("in a block, and what is not was dropped", pending, before)
		commit(t, n, 1)
		expect("one block later", pending, before)
		commit(t, n, 1)
		expect("solid", pending, pending)
		if old := truth(t, n, n.Head()-3, token, wallet); old.Cmp(before) != 0 {
			t.Errorf("three blocks ago the oracle has %s, want %s", old, before)
		}
		if now := truth(t, n, n.Head()-2, token, wallet); now.Cmp(pending) != 0 {
			t.Errorf("two blocks ago the oracle has %s, want %s", now, pending)
		}
	}
}

func TestTheChurnShowsTransfersThatNeverGetIntoABlock(t *testing.T) {
	n := start(t, trondev.Config{Chain: 7, Wallets: 40, Churn: 16})
	c := dial(t, n.URL())
	seen, lies := 0, 0
	for range 5 {
		shown := map[string]*big.Int{}
		for i := range 40 {
			if have := c.headBalance(t, "", n.Wallet(i)); have.Cmp(truth(t, n, n.Head(), "", n.Wallet(i))) != 0 {
				shown[n.Wallet(i)] = have
			}
		}
		commit(t, n, 1)
		for wallet, value := range shown {
			seen++
			if value.Cmp(truth(t, n, n.Head(), "", wallet)) != 0 {
				lies++
			}
		}
	}
	if seen == 0 || lies == 0 || lies == seen {
		t.Errorf("%d of %d balances that were shown early never came true; want some and not all", lies, seen)
	}
}

func TestEachPortsDatabaseShowsItsOwnView(t *testing.T) {
	n := start(t, trondev.Config{Chain: 7, SolidLag: 5})
	commit(t, n, 3)
	for url, want := range map[string]int64{n.URL(): n.Head(), n.SolidityURL(): n.Solid()} {
		c := dial(t, url)
		ref, err := c.base.GetBlockReference(t.Context(), &api.EmptyMessage{})
		if err != nil || ref.BlockNum != want {
			t.Errorf("reference = %v, %v; want block %d", ref, err, want)
			continue
		}
		block, err := c.solid.GetBlock(t.Context(), &api.BlockReq{IdOrNum: "70000000"})
		if number := block.GetBlockHeader().GetRawData().GetNumber(); err != nil || url == n.URL() && number != 0 {
			t.Errorf("a block that is not solid: %v, %v", block, err)
		}
		properties, err := c.base.GetDynamicProperties(t.Context(), &api.EmptyMessage{})
		if err != nil || properties.LastSolidityBlockNum != want-5 {
			t.Errorf("properties = %v, %v", properties, err)
		}
	}
	if _, err := dial(t, n.SolidityURL()).head.GetNowBlock2(t.Context(), &api.EmptyMessage{}); err == nil {
		t.Error("the solidity port has a Wallet")
	}
}

func TestANodeThatLagsStandsBehindInBothViews(t *testing.T) {
	n := start(t, trondev.Config{Chain: 7, SolidLag: 2})
	c := dial(t, n.URL())
	commit(t, n, 10)
	n.Lag(4)
	head, err := c.head.GetNowBlock2(t.Context(), &api.EmptyMessage{})
	if err != nil || head.BlockHeader.RawData.Number != n.Head()-4 {
		t.Errorf("head = %v, %v", head, err)
	}
	solid, err := c.solid.GetNowBlock2(t.Context(), &api.EmptyMessage{})
	if err != nil || solid.BlockHeader.RawData.Number != n.Solid()-4 {
		t.Errorf("solid = %v, %v", solid, err)
	}
}

func TestBlocksAreAChain(t *testing.T) {
	n := start(t, trondev.Config{Chain: 7, SolidLag: 2})
	c := dial(t, n.URL())
	commit(t, n, 3)
	newest, err := c.head.GetBlock(t.Context(), &api.BlockReq{})
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		parent, err := c.head.GetBlock(t.Context(), &api.BlockReq{IdOrNum: hexText(newest.BlockHeader.RawData.ParentHash)})
		if err != nil || parent.GetBlockHeader().GetRawData().GetNumber() != newest.BlockHeader.RawData.Number-1 {
			t.Fatalf("parent of %d: %v, %v", newest.BlockHeader.RawData.Number, parent, err)
		}
		if parent.BlockHeader.RawData.Timestamp >= newest.BlockHeader.RawData.Timestamp {
			t.Errorf("block %d is not younger than its parent", newest.BlockHeader.RawData.Number)
		}
		witness, err := c.solid.GetAccount(t.Context(), &core.Account{Address: parent.BlockHeader.RawData.WitnessAddress})
		if err != nil || witness.Balance == 0 {
			t.Errorf("the account that made block %d: %v, %v", parent.BlockHeader.RawData.Number, witness, err)
		}
		newest = parent
	}
	genesis, err := c.head.GetBlock(t.Context(), &api.BlockReq{IdOrNum: "0"})
	if err != nil || hexText(genesis.Blockid) != n.GenesisID() {
		t.Errorf("genesis = %v, %v, want %s", genesis, err, n.GenesisID())
	}
	if other := start(t, trondev.Config{Chain: 8}); other.GenesisID() == n.GenesisID() {
		t.Error("two chains have the same genesis")
	}
	for _, what := range []string{"x", "-1", "00ff"} {
		if b, err := c.head.GetBlock(t.Context(), &api.BlockReq{IdOrNum: what}); err == nil && len(b.Blockid) > 0 {
			t.Errorf("block %q is %v", what, b)
		}
	}
}
