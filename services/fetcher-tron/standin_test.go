package fetchertron

import (
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/trondev"
	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/wire"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// standin starts a chain in which a node's machine runs the contracts, with 210 wallets and the solid view 19 blocks behind.
func standin(t *testing.T, churn int) *trondev.Node {
	t.Helper()
	node, err := trondev.Start(t.Context(), trondev.Config{Chain: 7, Wallets: 210, Churn: churn, SolidLag: 19})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	})
	return node
}

// chainAt is a stand-in's chain, with an endpoint for each URL.
func chainAt(node *trondev.Node, urls ...string) chain.Config {
	c := chain.Config{Name: "dev", Family: chain.TRON, Genesis: node.GenesisID(), Finality: chain.Finality{Tag: "solid"}, BlockTime: 3 * time.Second, HeightSlack: 50}
	for i, url := range urls {
		c.Endpoints = append(c.Endpoints, chain.Endpoint{Name: "node-" + string(rune('0'+i)), URL: secret.New(url)})
	}
	return c
}

// exact are settings for one node behind an address: heights need no slack.
func exact() Config {
	config := setup()
	config.Slack = 0
	return config
}

// standinRows are the coin, the good tokens and the odd ones of n wallets from the first on; of the one that is dear to read only a few.
func standinRows(node *trondev.Node, first, n int) []fetch.Row {
	var rows []fetch.Row
	for _, asset := range slices.Concat([]trondev.Token{{}}, node.Tokens(), node.Odd()) {
		of := token(asset.Address)
		of.Native, of.Decimals = asset.Address == "", asset.Decimals
		wallets := n
		if asset.Name == "heavy" {
			wallets = min(n, 2)
		}
		if asset.Name == "heavy" || asset.Name == "returns-64-bytes" {
			of.Decimals = 0 // these answer every question with a balance: that for decimals with nobody's
		}
		for w := range wallets {
			rows = append(rows, rowOf(of, node.Wallet(first+w)))
		}
	}
	return rows
}

// mustBeInLedger compares values with the ledger at the height that they are given, or up to newer blocks after it.
func mustBeInLedger(t *testing.T, node *trondev.Node, rows []fetch.Row, outcomes []fetch.Outcome, newer int64) {
	t.Helper()
	for i, o := range outcomes {
		if o.Err != nil || o.Proof == nil {
			t.Fatalf("row %d (%s of %s): %+v", i, rows[i].Asset.Contract, rows[i].Address, o.Err)
		}
		if o.Proof.Height > node.Solid() {
			t.Fatalf("row %d at %d, block %d is solid", i, o.Proof.Height, node.Solid())
		}
		var held []string
		for height := o.Proof.Height; height <= o.Proof.Height+newer; height++ {
			truth, err := node.Balance(height, rows[i].Asset.Contract, rows[i].Address)
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, truth.String())
		}
		if !slices.Contains(held, o.Raw) {
			t.Errorf("row %d (%s of %s): %s at %d, the ledger has %v", i, rows[i].Asset.Contract, rows[i].Address, o.Raw, o.Proof.Height, held)
		}
	}
}

func TestValuesAreThoseOfTheLedger(t *testing.T) {
	node := standin(t, 300)
	for _, url := range []string{node.URL(), node.SolidityURL()} {
		r := readerOf(t, exact(), chainAt(node, url))
		for range 3 {
			if err := node.CommitN(7); err != nil {
				t.Fatal(err)
			}
			rows := standinRows(node, 0, 25)
			mustBeInLedger(t, node, rows, r.Read(t.Context(), rows, 0), 0)
		}
	}
	rows := standinRows(node, 210, 2) // wallets that were never used
	for i, o := range readerOf(t, exact(), chainAt(node, node.URL())).Read(t.Context(), rows, 0) {
		if o.Raw != "0" {
			t.Errorf("row %d: %+v", i, o)
		}
	}
}

// The head view shows what no block has yet, and may never have. The same rows read from it differ: the test would see it.
func TestUnconfirmedValuesAreNotRead(t *testing.T) {
	node := standin(t, 0)
	rows := standinRows(node, 0, 10)
	for _, row := range rows {
		if err := node.Pend(row.Asset.Contract, row.Address, big.NewInt(1)); err != nil {
			t.Fatal(err)
		}
	}
	c := chainAt(node, node.URL())
	mustBeInLedger(t, node, rows, readerOf(t, exact(), c).Read(t.Context(), rows, 0), 0)
	c.Finality = chain.Finality{Tag: "head"}
	for i, o := range readerOf(t, exact(), c).Read(t.Context(), rows, 0) {
		if o.Raw != "1" {
			t.Errorf("row %d: the head has %q (%+v)", i, o.Raw, o.Err)
		}
	}
	node.Drop()
	c.Finality = chain.Finality{Tag: "solid"}
	mustBeInLedger(t, node, rows, readerOf(t, exact(), c).Read(t.Context(), rows, 0), 0)
}

// badTokens is the error that each planted contract must end in.
var badTokens = map[string]string{
	"reverts": wire.CodeReverted, "returns-nothing": wire.CodeEmptyReturn, "returns-31-bytes": wire.CodeShortReturn, "energy-loop": wire.CodeGasExceeded,
	"revert-bomb": wire.CodeReverted, "invalid-opcode": wire.CodeReverted, "no-contract": wire.CodeNoContract,
}

func TestABadTokenIsItsRowsErrorAndNobodyElses(t *testing.T) {
	node := standin(t, 0)
	if len(node.Bad()) != len(badTokens) {
		t.Fatalf("%d bad contracts, %d expected", len(node.Bad()), len(badTokens))
	}
	for _, bad := range node.Bad() {
		for _, copies := range []int{1, 20} {
			if bad.Name == "energy-loop" {
				copies = min(copies, 3) // each takes the machine as long as it would a node
			}
			r := readerOf(t, exact(), chainAt(node, node.URL()))
			rows := standinRows(node, 0, 10)
			for i := range copies {
				rows = append(rows, rowOf(token(bad.Address), node.Wallet(i)))
			}
			good := len(rows) - copies
			outcomes := r.Read(t.Context(), rows, 0)
			mustBeInLedger(t, node, rows[:good], outcomes[:good], 0)
			if bad.Name == "energy-loop" { // it uses up the node's time, which once may be chance
				noValue(t, outcomes[good:])
				outcomes = r.Read(t.Context(), rows, 0)
			}
			for _, o := range outcomes[good:] {
				if o.Raw != "" || o.Err == nil || o.Err.Class != wire.ClassRow || o.Err.Code != badTokens[bad.Name] {
					t.Errorf("%s ×%d: %q %+v, want %s", bad.Name, copies, o.Raw, o.Err, badTokens[bad.Name])
				}
			}
			noValue(t, outcomes[good:])
		}
	}
}

func TestFaultsOfANodeGiveNoWrongValue(t *testing.T) {
	node, other := standin(t, 0), standin(t, 0)
	rows := standinRows(node, 1, 5)
	faults := map[string]grpc.UnaryServerInterceptor{
		"forgetful": trondev.Forgetful(), "mute": trondev.Mute(), "no constant": trondev.NoConstant(), "closed": trondev.Closed(), "lite": trondev.Lite(),
		"storm": trondev.Storm(), "403": trondev.Suspended(403, 5), "429": trondev.Suspended(429, 5), "503": trondev.Suspended(503, 5), "401": trondev.HTTP(401, "no"),
		"another chain": trondev.OtherGenesis([32]byte{31: 1}), "every third is lost": trondev.Nth(3, trondev.Answer(codes.Unavailable, "connection reset")),
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			node.Intercept(nil)
			r := readerOf(t, exact(), chainAt(node, node.URL(), other.URL()))
			node.Intercept(fault)
			for range 4 {
				r.fleet.round(t.Context())
				outcomes := r.Read(t.Context(), rows, 0)
				mustBeInLedger(t, node, rows, outcomes, 0) // both nodes have the same ledger
			}
			alone := readerOf(t, exact(), chainAt(node, node.URL()))
			for i, o := range alone.Read(t.Context(), rows, 0) {
				if o.Raw == "" {
					continue
				}
				if truth, err := node.Balance(o.Proof.Height, rows[i].Asset.Contract, rows[i].Address); err != nil || truth.String() != o.Raw {
					t.Errorf("row %d: %s, the ledger has %v (%v)", i, o.Raw, truth, err)
				}
			}
		})
	}
}

// The heads of two views that one address serves are 19 blocks apart: a height from the wrong one would be too high.
func TestTheHeightIsThatOfTheViewWhateverElseTheAddressServes(t *testing.T) {
	node := standin(t, 0)
	r := readerOf(t, exact(), chainAt(node, node.URL()))
	if o := r.Read(t.Context(), standinRows(node, 1, 1), 0)[0]; o.Err != nil || o.Proof.Height != node.Solid() || node.Solid() != node.Head()-19 {
		t.Errorf("%+v, solid is %d, head %d", o, node.Solid(), node.Head())
	}
}

func TestANodeThatLosesItsPeersIsTakenOut(t *testing.T) {
	node, behind := standin(t, 0), standin(t, 0)
	if err := behind.CommitN(30); err != nil {
		t.Fatal(err)
	}
	if err := node.CommitN(30); err != nil {
		t.Fatal(err)
	}
	r := readerOf(t, exact(), chainAt(node, node.URL(), behind.URL()))
	behind.Lag(21)
	r.fleet.round(t.Context())
	if s := r.fleet.pool.States()[1]; s.Fault == nil || s.Fault.Code != wire.CodeLagging || !strings.Contains(s.Fault.Text, "21 behind") {
		t.Errorf("%+v", s)
	}
}
