package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/natsdev"
	"github.com/balance-sync/balance-sync/devkit/pgdev"
	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/stream"
)

func TestMain(m *testing.M) { os.Exit(pgdev.Main(m)) }

// outcome is what a run of the command gave.
type outcome struct {
	code           int
	stdout, stderr string
}

func drive(t *testing.T, env map[string]string, args ...string) outcome {
	t.Helper()
	var out, notes bytes.Buffer
	lookup := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
	code := run(args, console{lookup: lookup, out: &out, err: &notes})
	return outcome{code, out.String(), notes.String()}
}

const key = "CANARYCANARYCANARY"

// chainsFile writes a chains file with one chain and gives its path.
func chainsFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "chains.yaml")
	text := "chains: [{name: bsc, family: evm, chain_id: 56, block_time: 1s, endpoints: [{name: a, url: \"${BSC_URL}\"}]}]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMigrateUpStatusAndPrint(t *testing.T) {
	env := map[string]string{"DATABASE_URL": pgdev.Database(t, "", nil)}
	type step struct {
		Version int
		State   string
	}
	var steps []step
	read := func(got outcome) {
		t.Helper()
		steps = nil
		if err := json.Unmarshal([]byte(got.stdout), &steps); got.code != 0 || err != nil {
			t.Fatalf("exit %d (%v): %s%s", got.code, err, got.stdout, got.stderr)
		}
	}
	if read(drive(t, env, "migrate", "status", "-o", "json")); len(steps) == 0 || steps[0].State != "pending" {
		t.Errorf("before: %+v", steps)
	}
	if got := drive(t, env, "migrate", "print"); got.code != 0 || !strings.Contains(got.stdout, "ACCESS EXCLUSIVE") {
		t.Errorf("print does not name the locks: %+v", got)
	}
	if read(drive(t, env, "migrate", "up", "-o", "json")); len(steps) == 0 {
		t.Error("up took no step")
	}
	if read(drive(t, env, "migrate", "up", "-o", "json")); len(steps) != 0 {
		t.Errorf("the second up took %+v", steps)
	}
	read(drive(t, env, "migrate", "status", "-o", "json"))
	for _, s := range steps {
		if s.State != "applied" {
			t.Errorf("after: %+v", s)
		}
	}
}

func TestProvisionCreatesAndThenChangesNothing(t *testing.T) {
	env := map[string]string{"NATS_URL": natsdev.Run(t).URL(), "BALSYNC_CHAINS": chainsFile(t), "BALSYNC_CLAIMS_MAX_BYTES": "64MiB", "BALSYNC_RESULTS_MAX_BYTES": "64MiB", "BALSYNC_DLQ_MAX_BYTES": "16MiB"}
	for i, want := range []string{`"write-evm-bsc"`, "[]"} {
		if got := drive(t, env, "provision", "-o", "json"); got.code != 0 || !strings.Contains(got.stdout, want) {
			t.Errorf("run %d: %+v, want %s", i, got, want)
		}
	}
}

func TestABrokerWithoutRoomIsExplained(t *testing.T) {
	server, err := natsdev.Start(t.TempDir(), natsdev.Options{MaxStore: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	got := drive(t, map[string]string{"NATS_URL": server.URL(), "BALSYNC_CHAINS": chainsFile(t)}, "provision")
	if got.code != service.ExitFailed || !strings.Contains(got.stderr, "BALSYNC_RESULTS_MAX_BYTES") {
		t.Errorf("%+v", got)
	}
}

func TestConfigReportsEveryFaultAtOnceAndNoSecret(t *testing.T) {
	env := map[string]string{"BALSYNC_CHAINS": chainsFile(t), "BALSYNC_BATCH_SIZE": "5000", "BALSYNC_LOCK_DURATION": "soon", "NATS_URL": "nats://u:" + key + "@127.0.0.1:1"}
	got := drive(t, env, "config", "validate")
	if got.code != service.ExitUsage {
		t.Errorf("exit %d", got.code)
	}
	for _, want := range []string{"BALSYNC_BATCH_SIZE", "BALSYNC_LOCK_DURATION", "DATABASE_URL", "BSC_URL"} {
		if !strings.Contains(got.stderr, want) {
			t.Errorf("stderr does not name %s:\n%s", want, got.stderr)
		}
	}
	good := map[string]string{"BALSYNC_CHAINS": chainsFile(t), "DATABASE_URL": "postgres://u:" + key + "@127.0.0.1/x", "NATS_URL": "nats://u:" + key + "@127.0.0.1:1", "BSC_URL": "http://127.0.0.1:1/" + key}
	valid, printed := drive(t, good, "config", "validate"), drive(t, good, "config", "print")
	if valid.code != 0 || printed.code != 0 || !strings.Contains(printed.stdout, "BALSYNC_BATCH_SIZE") {
		t.Errorf("validate %+v\nprint %+v", valid, printed)
	}
	if all := got.stderr + printed.stdout + printed.stderr; strings.Contains(all, key) {
		t.Errorf("a secret was printed:\n%s", all)
	}
	// Claimer and writer need no node's key.
	delete(good, "BSC_URL")
	if got := drive(t, good, "config", "validate", "claimer", "writer"); got.code != 0 {
		t.Errorf("without a node's key: %+v", got)
	}
}

// A fault that a start would find is found without one.
func TestValidateFindsWhatAStartWouldEndOver(t *testing.T) {
	good := map[string]string{"BALSYNC_CHAINS": chainsFile(t), "DATABASE_URL": "postgres://u:" + key + "@127.0.0.1/x", "NATS_URL": "u:" + key + "@127.0.0.1:1, tls://127.0.0.2", "BSC_URL": "http://127.0.0.1:1/" + key}
	if got := drive(t, good, "config", "print"); got.code != 0 || !strings.Contains(got.stdout, "LOG_LEVEL") || !strings.Contains(got.stdout, "BALSYNC_ADMIN_ADDR") {
		t.Errorf("what is in force: %+v", got)
	}
	for _, bad := range []struct{ name, value, says string }{
		{"LOG_LEVEL", "loud", `LOG_LEVEL="loud": must be one of`},
		{"LOG_FORMAT", "xml", `LOG_FORMAT="xml": must be one of`},
		{"BALSYNC_ADMIN_ADDR", "8081", "must be host:port"},
		{"DATABASE_URL", "mysql://u:" + key + "@h/x", "DATABASE_URL is not a Postgres URL"},
		{"NATS_URL", "http://u:" + key + "@h:4222", "NATS_URL is not a URL such as nats://"},
		{"NATS_URL", "nats://u:" + key + "%zz@h:4222", "NATS_URL is not a URL such as nats://"},
		{"NATS_URL", "nats://h:4222,", "NATS_URL is not a URL such as nats://"},
		{"BSC_URL", "grpc://127.0.0.1:1/" + key, `endpoint "a": url: not a URL such as https://`},
	} {
		env := maps.Clone(good)
		env[bad.name] = bad.value
		got := drive(t, env, "config", "validate")
		if got.code != service.ExitUsage || strings.Count(got.stderr, bad.says) != 1 || !strings.Contains(got.stderr, "has 1 fault:") || strings.Contains(got.stderr, key) {
			t.Errorf("%s=%s: exit %d, want %q once: %s", bad.name, bad.value, got.code, bad.says, got.stderr)
		}
	}
}

// To a user without the right the broker looks as if it did not answer.
func TestProvisioningAsAnotherUserSaysSo(t *testing.T) {
	users := stream.AccountsConfig(stream.Users([]chain.Config{{Name: "bsc", Family: chain.EVM}}), func(stream.User) string { return "word" })
	server := natsdev.RunWith(t, users+"jetstream {}\n")
	got := drive(t, map[string]string{"NATS_URL": server.As("claimer", "word"), "BALSYNC_CHAINS": chainsFile(t)}, "provision")
	if got.code != service.ExitFailed || !strings.Contains(got.stderr, "must name the provisioner's user") || !strings.Contains(got.stderr, "Permissions Violation") {
		t.Errorf("%+v", got)
	}
}

func TestMistakesAreToldInOneSentenceThatHelps(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		args []string
		code int
		says string
	}{
		{"an unknown command", nil, []string{"frobnicate"}, service.ExitUsage, "balsync help"},
		{"an unknown flag", nil, []string{"migrate", "up", "--fast"}, service.ExitUsage, "--help"},
		{"a group alone", nil, []string{"migrate"}, service.ExitUsage, "one of its commands"},
		{"a superfluous argument", nil, []string{"migrate", "up", "now"}, service.ExitUsage, "takes no argument"},
		{"a bad output", nil, []string{"version", "-o", "xml"}, service.ExitUsage, "table or json"},
		{"no database", nil, []string{"migrate", "up"}, service.ExitUsage, "DATABASE_URL is not set"},
		{"a bad database URL", map[string]string{"DATABASE_URL": "postgres://u:" + key + "@h:port/x"}, []string{"migrate", "up"}, service.ExitUsage, "not a Postgres URL"},
		{"a database that is not there", map[string]string{"DATABASE_URL": "postgres://u:" + key + "@127.0.0.1:1/x"}, []string{"migrate", "up"}, service.ExitFailed, "connect to the database"},
		{"no chains file", map[string]string{"NATS_URL": "nats://127.0.0.1:1", "BALSYNC_CHAINS": "/nonexistent"}, []string{"provision"}, service.ExitUsage, "BALSYNC_CHAINS"},
		{"an unknown command of a group", nil, []string{"migrate", "upp"}, service.ExitUsage, `unknown command "upp"`},
		{"a broker that is no broker", map[string]string{"NATS_URL": "http://127.0.0.1:1/" + key}, []string{"provision"}, service.ExitUsage, "NATS_URL is not a URL such as nats://"},
		{"a program that does not exist", nil, []string{"config", "validate", "reader"}, service.ExitUsage, "is not one of"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := drive(t, tt.env, tt.args...)
			if got.code != tt.code || !strings.Contains(got.stderr, tt.says) || strings.Contains(got.stderr, key) {
				t.Errorf("exit %d, want %d: %q, want it to say %q", got.code, tt.code, got.stderr, tt.says)
			}
		})
	}
}

func TestVersionAndCompletion(t *testing.T) {
	if got := drive(t, nil, "version", "-o", "json"); got.code != 0 || !strings.Contains(got.stdout, `"version"`) {
		t.Errorf("%+v", got)
	}
	if got := drive(t, nil, "completion", "bash"); got.code != 0 || !strings.Contains(got.stdout, "balsync") {
		t.Errorf("exit %d", got.code)
	}
}

func TestATableKeepsItsColumnsOverEmptyCells(t *testing.T) {
	var out bytes.Buffer
	rows := []settingRow{{"a", "LONG_KEY", "1"}, {"a", "KEY", ""}, {"a", "K", "2"}}
	if err := print(&out, "table", []string{"SERVICE", "KEY", "VALUE"}, rows); err != nil {
		t.Fatal(err)
	}
	want := "SERVICE  KEY       VALUE\na        LONG_KEY  1\na        KEY\na        K         2\n"
	if out.String() != want {
		t.Errorf("printed:\n%swant:\n%s", out.String(), want)
	}
}

func TestWhatIsMissingIsSaidOnceAndUnmasked(t *testing.T) {
	got := drive(t, map[string]string{"BALSYNC_CHAINS": chainsFile(t), "BSC_URL": "https://node.example"}, "config", "validate")
	if got.code != service.ExitUsage || strings.Count(got.stderr, "DATABASE_URL") != 1 || strings.Contains(got.stderr, "***") {
		t.Errorf("exit %d: %s", got.code, got.stderr)
	}
}
