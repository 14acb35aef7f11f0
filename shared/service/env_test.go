package service

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/secret"
)

// from is an environment of the given variables and nothing else.
func from(values map[string]string) *Env {
	return NewEnv(func(name string) (string, bool) { value, ok := values[name]; return value, ok })
}

func TestValuesAreReadOrDefaultOrFaults(t *testing.T) {
	read := map[string]func(*Env) any{
		"int":      func(e *Env) any { return e.Int("K", 5, 1, 10) },
		"duration": func(e *Env) any { return e.Duration("K", time.Minute, time.Second, time.Hour) },
		"bytes":    func(e *Env) any { return e.Bytes("K", 64<<20, 1<<20) },
		"one of":   func(e *Env) any { return e.OneOf("K", "info", "debug") },
		"text":     func(e *Env) any { return e.Text("K", "x") },
		"list":     func(e *Env) any { return fmt.Sprint(e.List("K")) },
	}
	tests := []struct {
		kind, text string
		want       any
		fault      string
	}{
		{"int", "", 5, ""}, {"int", "7", 7, ""}, {"int", "1", 1, ""}, {"int", "10", 10, ""}, {"int", "11", 5, `K="11": must be a whole number from 1 to 10`}, {"int", "0", 5, "K="}, {"int", "many", 5, "K="}, {"int", "1.5", 5, "K="},
		{"duration", "", time.Minute, ""}, {"duration", "90s", 90 * time.Second, ""}, {"duration", "2h", time.Minute, "from 1s to 1h0m0s"}, {"duration", "5", time.Minute, "must be a duration"},
		{"bytes", "", int64(64 << 20), ""}, {"bytes", "2GiB", int64(2 << 30), ""}, {"bytes", "512MiB", int64(512 << 20), ""}, {"bytes", "0MiB", int64(64 << 20), "at least 1MiB"}, {"bytes", "5", int64(64 << 20), "such as 512MiB"}, {"bytes", "-1GiB", int64(64 << 20), "K="},
		{"one of", "", "info", ""}, {"one of", "debug", "debug", ""}, {"one of", "loud", "info", "must be one of info, debug"},
		{"text", "", "x", ""}, {"text", "y", "y", ""}, {"list", " a, b ,,c", "[a b c]", ""}, {"list", "", "[]", ""},
	}
	for _, tt := range tests {
		e := from(map[string]string{"K": tt.text})
		if got := read[tt.kind](e); got != tt.want {
			t.Errorf("%s %q is %v, want %v", tt.kind, tt.text, got, tt.want)
		}
		if err := e.Err(); (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
			t.Errorf("%s %q: %v, want %q", tt.kind, tt.text, err, tt.fault)
		}
	}
}

func TestAllFaultsAreReportedAtOnce(t *testing.T) {
	e := from(map[string]string{"A": "x", "B": "x"})
	e.Int("A", 1, 0, 2)
	e.Duration("B", 1, 0, 2)
	e.Require("C", e.Secret("C"), "what it is for")
	e.Fault("%s and %s do not go together", "A", "B")
	for _, want := range []string{`A="x"`, `B="x"`, "C is not set: what it is for", "do not go together"} {
		if !strings.Contains(e.Err().Error(), want) {
			t.Errorf("the faults do not say %s:\n%v", want, e.Err())
		}
	}
}

func TestASecretComesFromItsVariableOrItsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte("from-the-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		values map[string]string
		want   string
		fault  string
	}{
		{"variable", map[string]string{"K": "plain"}, "plain", ""},
		{"file, its newline cut", map[string]string{"K_FILE": path}, "from-the-file", ""},
		{"neither", nil, "", ""},
		{"both", map[string]string{"K": "plain", "K_FILE": path}, "from-the-file", "set one of them"},
		{"a file that is missing", map[string]string{"K_FILE": path + "x"}, "", "K_FILE"},
	}
	for _, tt := range tests {
		e := from(tt.values)
		if got := e.Secret("K").Reveal(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if err := e.Err(); (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
			t.Errorf("%s: %v", tt.name, err)
		}
		for _, s := range e.Settings() {
			if tt.want != "" && strings.Contains(s.Value, tt.want) {
				t.Errorf("%s: the settings show %s", tt.name, s.Value)
			}
		}
		if known := len(e.Secrets()); (known > 0) != (tt.want != "") {
			t.Errorf("%s: the scrubber learns %d secrets", tt.name, known)
		}
	}
}

func TestASecretFileThatGivesNothingIsTheOnlyFault(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if err := os.WriteFile(path, []byte(" \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, says := range map[string]string{path: path + " is empty", path + "x": "no such file", dir: "is a directory"} {
		e := from(map[string]string{"K_FILE": file})
		e.Require("K", e.Secret("K"), "what it is for")
		if err := e.Err(); err == nil || !strings.HasPrefix(err.Error(), "K_FILE: ") || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q alone", file, err, says)
		}
	}
}

func TestASecretFileThatEveryoneMayReadIsWarnedOf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte("CANARY0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, warned := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o604: true, 0o644: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		e := from(map[string]string{"K_FILE": path, "NATS_CREDS": path})
		e.Secret("K")
		e.Secret("K")
		e.SecretFile("NATS_CREDS")
		all := strings.Join(e.Warnings(), "\n")
		if got := len(e.Warnings()); warned != (got == 2) || !warned && got != 0 || warned && !strings.Contains(all, "K_FILE") || strings.Contains(all, "CANARY") {
			t.Errorf("mode %o: %q", mode, e.Warnings())
		}
	}
}

func TestTheLinesOfACredentialsFileAreKnownToTheScrubber(t *testing.T) {
	path := filepath.Join(t.TempDir(), "user.creds")
	text := "-----BEGIN NATS USER JWT-----\nCANARYJWT\n------END NATS USER JWT------\n\n*** IMPORTANT ***\n-----BEGIN USER NKEY SEED-----\nCANARYSEED\n------END USER NKEY SEED------\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	e := from(map[string]string{"NATS_CREDS": path})
	if got := e.SecretFile("NATS_CREDS"); got != path || e.Err() != nil {
		t.Errorf("%q, %v", got, e.Err())
	}
	if got := secret.NewScrubber(e.Secrets()...).Scrub("CANARYJWT and CANARYSEED of BEGIN"); got != "*** and *** of BEGIN" {
		t.Errorf("scrubbed: %q", got)
	}
	e = from(map[string]string{"NATS_CREDS": path + "x"})
	if e.SecretFile("NATS_CREDS"); e.Err() == nil || !strings.Contains(e.Err().Error(), "NATS_CREDS") {
		t.Errorf("a file that is missing: %v", e.Err())
	}
}

const twoChains = `chains:
  - {name: bsc, family: evm, chain_id: 56, block_time: 1s, endpoints: [{name: a, url: "https://h/${KEY}"}]}
  - {name: eth, family: evm, chain_id: 1, block_time: 12s, endpoints: [{name: a, url: "https://h/${KEY}"}]}
`

func TestAFetcherExpandsItsEndpointsAndServesWhatItIsTold(t *testing.T) {
	dir := t.TempDir()
	path, key := filepath.Join(dir, "chains.yaml"), filepath.Join(dir, "key")
	for name, text := range map[string]string{path: twoChains, key: "CANARY0123456789"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e := from(map[string]string{"BALSYNC_CHAINS": path, "KEY_FILE": key, "BALSYNC_CHAIN": "eth"})
	served := e.ServedChains(chain.EVM)
	if err := e.Err(); err != nil || len(served) != 1 || served[0].Name != "eth" || served[0].Endpoints[0].URL.Reveal() != "https://h/CANARY0123456789" {
		t.Errorf("%+v, %v", served, err)
	}
	e = from(map[string]string{"BALSYNC_CHAINS": path, "KEY_FILE": key, "BALSYNC_CHAIN": "eth,tron"})
	if e.ServedChains(chain.EVM); e.Err() == nil || !strings.Contains(e.Err().Error(), `"tron"`) {
		t.Errorf("an unknown chain: %v", e.Err())
	}
	e = from(map[string]string{"BALSYNC_CHAINS": path})
	if chains := e.Chains(); e.Err() != nil || len(chains) != 2 || len(chains[0].Endpoints) != 0 {
		t.Errorf("without a node's key: %+v, %v", chains, e.Err())
	}
	e = from(map[string]string{"BALSYNC_CHAINS": path + "x"})
	if e.Chains(); e.Err() == nil || !strings.Contains(e.Err().Error(), "BALSYNC_CHAINS") {
		t.Errorf("a missing file: %v", e.Err())
	}
}

func TestAFetcherNeedsTheKeysOfItsOwnChainsOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chains.yaml")
	text := `chains:
  - {name: bsc, family: evm, chain_id: 56, block_time: 1s, endpoints: [{name: a, url: "https://h/${BSC}"}]}
  - {name: eth, family: evm, chain_id: 1, block_time: 12s, endpoints: [{name: a, url: "https://h/${ETH}"}]}
  - {name: tron, family: tron, genesis: "` + strings.Repeat("0", 64) + `", block_time: 3s, endpoints: [{name: a, url: "https://h/${TRON}"}]}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		family chain.Family
		values map[string]string
		serves int
		lacks  string
	}{
		{chain.EVM, map[string]string{"BSC": "1", "ETH": "2"}, 2, ""},
		{chain.EVM, map[string]string{"BSC": "1", "BALSYNC_CHAIN": "bsc"}, 1, ""},
		{chain.EVM, map[string]string{"BSC": "1"}, 2, "${ETH}"},
		{chain.TRON, map[string]string{"TRON": "3"}, 1, ""},
		{chain.TRON, nil, 1, "${TRON}"},
	}
	for _, tt := range tests {
		values := map[string]string{"BALSYNC_CHAINS": path}
		for key, value := range tt.values {
			values[key] = value
		}
		e := from(values)
		served, err := e.ServedChains(tt.family), e.Err()
		if len(served) != tt.serves || (err == nil) != (tt.lacks == "") || err != nil && !strings.Contains(err.Error(), tt.lacks) {
			t.Errorf("%s with %v: %d chains, %v", tt.family, tt.values, len(served), err)
		}
		for _, c := range served {
			if tt.lacks == "" && len(c.Endpoints) != 1 {
				t.Errorf("%s has no endpoint", c.Name)
			}
		}
	}
}

func TestAnInstancesNameFitsTheLock(t *testing.T) {
	for given, want := range map[string]string{"pod-1.a_b": "pod-1.a_b", "a:b c/d": "a-b-c-d", strings.Repeat("x", 99): strings.Repeat("x", 48)} {
		if got := from(map[string]string{"BALSYNC_INSTANCE": given}).Instance(); got != want {
			t.Errorf("%q is %q, want %q", given, got, want)
		}
	}
	if got := from(nil).Instance(); got == "" || strings.Contains(got, ":") {
		t.Errorf("the default is %q", got)
	}
}

func ExampleEnv() {
	env := NewEnv(func(name string) (string, bool) {
		return map[string]string{"BALSYNC_BATCH_SIZE": "5000"}[name], name == "BALSYNC_BATCH_SIZE"
	})
	env.Int("BALSYNC_BATCH_SIZE", 1000, 10, 2000)
	fmt.Println(env.Err())
	// Output: BALSYNC_BATCH_SIZE="5000": must be a whole number from 10 to 2000
}

// A provider counts all replicas of a fetcher: a budget that each took whole would be spent several times over.
func TestReplicasDivideTheRateOfEveryEndpoint(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chains.yaml")
	if err := os.WriteFile(path, []byte(strings.Replace(twoChains, `"https://h/${KEY}"`, `"https://h", rps: 60`, 2)), 0o600); err != nil {
		t.Fatal(err)
	}
	for replicas, want := range map[string]float64{"": 60, "1": 60, "3": 20} {
		e := from(map[string]string{"BALSYNC_CHAINS": path, "BALSYNC_REPLICAS": replicas})
		served := e.ServedChains(chain.EVM)
		if err := e.Err(); err != nil || len(served) != 2 || served[1].Endpoints[0].RPS != want {
			t.Errorf("%q replicas: %+v, %v", replicas, served, err)
		}
	}
	e := from(map[string]string{"BALSYNC_CHAINS": path, "BALSYNC_REPLICAS": "0"})
	if e.ServedChains(chain.EVM); e.Err() == nil || !strings.Contains(e.Err().Error(), "BALSYNC_REPLICAS") {
		t.Errorf("no replicas: %v", e.Err())
	}
}
