package chain_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
)

const good = `
chains:
  - name: bsc
    family: evm
    chain_id: 56
    block_time: 750ms
    endpoints:
      - {name: node-a, url: "${BSC_URL}", rps: 50, headers: {x-api-key: "${BSC_KEY}"}}
  - name: tron
    family: tron
    genesis: 00000000000000001ebf88508a03865c71d452e25f4d51194196a1d22b6653dc
    block_time: 3s
    height_slack: 7
    database_name: TRON Mainnet
    multicall: TEazPvZwDjDtFeJupyo7QunvnrnUjPH8ED
    endpoints:
      - {name: grid, url: "grpc://127.0.0.1:50051"}
  - name: arbitrum
    family: evm
    chain_id: 42161
    block_time: 250ms
    height: arbsys
    multicall: "0x842eC2c7D803033Edf55E478F461FC547Bc54EB2"
    endpoints:
      - {name: arb, url: "http://127.0.0.1:8547"}
`

func env(values map[string]string) chain.Lookup {
	return func(name string) (string, bool) { v, ok := values[name]; return v, ok }
}

func TestParseReadsEveryValue(t *testing.T) {
	chains, err := chain.Parse([]byte(good), env(map[string]string{"BSC_URL": "https://h/KEY", "BSC_KEY": "k"}), true)
	if err != nil {
		t.Fatal(err)
	}
	bsc, tron := chains[0], chains[1]
	if bsc.Name != "bsc" || bsc.Family != chain.EVM || bsc.ChainID != 56 || bsc.BlockTime != 750*time.Millisecond {
		t.Errorf("bsc = %+v", bsc)
	}
	if bsc.HeightSlack != chain.DefaultHeightSlack || bsc.Finality.String() != "latest-1" {
		t.Errorf("bsc defaults = %d, %s", bsc.HeightSlack, bsc.Finality)
	}
	if e := bsc.Endpoints[0]; e.Name != "node-a" || e.URL.Reveal() != "https://h/KEY" || e.RPS != 50 || e.Headers["x-api-key"].Reveal() != "k" {
		t.Errorf("endpoint = %+v", e)
	}
	if _, name := tron.Key(); name != "TRON Mainnet" || tron.HeightSlack != 7 || tron.Finality.Tag != "solid" {
		t.Errorf("tron = %+v", tron)
	}
	if got := chain.Of(chains, chain.TRON); len(got) != 1 || got[0].Name != "tron" {
		t.Errorf("Of(tron) = %+v", got)
	}
	if got := len(chain.Secrets(chains)); got != 4 {
		t.Errorf("%d secrets, want 4: three URLs and a header", got)
	}
}

func TestAnEVMChainSaysWhereItsHeightAndItsMulticallAre(t *testing.T) {
	chains, err := chain.Parse([]byte(good), env(nil), false)
	if err != nil {
		t.Fatal(err)
	}
	bsc, tron, arbitrum := chains[0], chains[1], chains[2]
	if bsc.Height != "" || bsc.Multicall != chain.DefaultMulticall {
		t.Errorf("bsc: height %q, multicall %q", bsc.Height, bsc.Multicall)
	}
	if arbitrum.Height != chain.ArbSys || arbitrum.Multicall != "0x842eC2c7D803033Edf55E478F461FC547Bc54EB2" {
		t.Errorf("arbitrum: height %q, multicall %q", arbitrum.Height, arbitrum.Multicall)
	}
	if tron.Height != "" || tron.Multicall != "TEazPvZwDjDtFeJupyo7QunvnrnUjPH8ED" {
		t.Errorf("tron: height %q, multicall %q", tron.Height, tron.Multicall)
	}
}

func TestClaimerAndWriterReadTheFileWithoutAnyNodesKey(t *testing.T) {
	chains, err := chain.Parse([]byte(good), env(nil), false)
	if err != nil {
		t.Fatal(err)
	}
	if len(chains[0].Endpoints) != 0 {
		t.Error("endpoints were expanded")
	}
}

func TestParseReportsEveryFaultAtOnce(t *testing.T) {
	doc := `
chains:
  - {name: "Bad Name", family: evm, block_time: 1s, endpoints: [{name: a, url: "x"}]}
  - {name: b, family: solana, block_time: 0s}
  - {name: d, family: evm, chain_id: 1, block_time: 1s, height: l1, multicall: "0x12"}
  - {name: e, family: tron, block_time: 1s, height: arbsys, multicall: "0xcA11bde05977b3631167028862bE2a173976CA11"}
  - {name: c, family: tron, genesis: nope, chain_id: 5, finality: safe, block_time: soon, height_slack: -1, database_name: x, database_id: y, endpoints: [{name: a, url: "${NOPE}", rps: -1}]}
  - {name: c, family: evm, chain_id: 1, finality: latest-65, block_time: 1s, endpoints: [{name: A, url: "http://h"}, {name: A, url: "grpc://h:1", rps: 3, concurrency: 257, budget: "CANARY Key"}, {name: z, url: "http://h", rps: 4, budget: "CANARY Key"}]}
`
	_, err := chain.Parse([]byte(doc), env(nil), true)
	if err == nil {
		t.Fatal("accepted")
	}
	if strings.Contains(err.Error(), "CANARY") {
		t.Errorf("a budget that may be a key is quoted: %v", err)
	}
	for _, want := range []string{
		`"Bad Name": name must match`, `"Bad Name": chain_id is missing`, `endpoint "a": url: not a URL such as https://`,
		`family "solana": must be evm or tron`, `"b": block_time "0s"`, `"b": endpoints: at least one`,
		`"c": genesis must be`, `"c": chain_id belongs to evm`, `finality "safe": a tron chain takes solid or head`, `block_time "soon"`,
		`height_slack -1`, `set one of them`, `database_id "y": must be a uuid`, `${NOPE} is not set`, `rps -1`,
		`"c": name is used twice`, `finality "latest-65"`, `"d": height "l1": must be arbsys`, `"d": multicall "0x12": must be`, `"e": height belongs to evm`, `"e": multicall "0xcA11bde05977b3631167028862bE2a173976CA11": must be the base58`, `endpoint "A": name must match`, `endpoint "A": name is used twice`,
		`endpoint "A": url: not a URL such as https://`, `endpoint "A": concurrency 257`, `endpoint "A": budget must match`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %s:\n%v", want, err)
		}
	}
}

// The rate of a budget is said once; a second opinion is a mistake that a provider would punish.
func TestEndpointsOfOneBudgetHaveItsRate(t *testing.T) {
	const doc = `
chains:
  - {name: a, family: evm, chain_id: 1, block_time: 1s, endpoints: [{name: one, url: "http://h", budget: grid}, {name: two, url: "http://h", budget: grid, rps: 15, concurrency: 4}]}
  - {name: b, family: evm, chain_id: 2, block_time: 1s, endpoints: [{name: three, url: "http://h", budget: grid, rps: 15}, {name: four, url: "http://h"}]}
`
	chains, err := chain.Parse([]byte(doc), env(nil), true)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range append(chains[0].Endpoints, chains[1].Endpoints[0]) {
		if e.Budget != "grid" || e.RPS != 15 {
			t.Errorf("%s: budget %q at %v a second", e.Name, e.Budget, e.RPS)
		}
	}
	if two, four := chains[0].Endpoints[1], chains[1].Endpoints[1]; two.Concurrency != 4 || four.Budget != "" || four.RPS != 0 {
		t.Errorf("%+v, %+v", two, four)
	}
	_, err = chain.Parse([]byte(strings.Replace(doc, "rps: 15}", "rps: 20}", 1)), env(nil), true)
	if want := `chain "b": endpoint "three": rps 20: budget "grid" has 15 elsewhere`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestDivideGivesEachReplicaItsPartOfEveryRate(t *testing.T) {
	chains := []chain.Config{{Endpoints: []chain.Endpoint{{RPS: 50}, {RPS: 0}}}, {}}
	divided := chain.Divide(chains, 4)
	if e := divided[0].Endpoints; e[0].RPS != 12.5 || e[1].RPS != 0 {
		t.Errorf("%+v", e)
	}
	if chains[0].Endpoints[0].RPS != 50 {
		t.Error("the configuration itself was changed")
	}
}

func TestParseRefusesUnknownKeysAndAnEmptyFile(t *testing.T) {
	for doc, want := range map[string]string{
		"chains: [{name: a, familly: evm}]": "familly",
		"":                                  "no chains",
		"chains: []":                        "no chains",
		"chain: []":                         "chain",
	} {
		if _, err := chain.Parse([]byte(doc), env(nil), true); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) = %v, want an error about %s", doc, err, want)
		}
	}
}

func TestAFaultyURLIsNeverQuoted(t *testing.T) {
	doc := "chains: [{name: a, family: evm, chain_id: 1, block_time: 1s, endpoints: [{name: n, url: \"${U}\"}]}]"
	_, err := chain.Parse([]byte(doc), env(map[string]string{"U": "CANARY-no-scheme %zz"}), true)
	if err == nil || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("err = %v", err)
	}
}

func ExampleParse() {
	doc := "chains: [{name: eth, family: evm, chain_id: 1, block_time: 12s, finality: safe}]"
	chains, err := chain.Parse([]byte(doc), func(string) (string, bool) { return "", false }, false)
	fmt.Println(chains[0].Name, chains[0].Finality, err)
	// Output: eth safe <nil>
}
