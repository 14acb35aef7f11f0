package claimer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/service"
)

// load reads a configuration from the given variables and a chains file whose node's key is not set.
func load(t *testing.T, values map[string]string) (Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "chains.yaml")
	text := "chains: [{name: bsc, family: evm, chain_id: 56, block_time: 1s, endpoints: [{name: a, url: \"${BSC_URL}\"}]}]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := service.NewEnv(func(name string) (string, bool) {
		if name == "BALSYNC_CHAINS" {
			return path, true
		}
		value, ok := values[name]
		return value, ok
	})
	return Load(env), env.Err()
}

func TestDefaultsAreThoseOfTheDesign(t *testing.T) {
	c, err := load(t, map[string]string{"DATABASE_URL": "postgres://127.0.0.1/x", "NATS_URL": "nats://127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	if c.BatchSize != 1000 || c.Lease != 2*time.Minute || c.Window != 50_000 || c.PassPace != 10*time.Second || c.FastPoll != 250*time.Millisecond ||
		c.FastRows != 50 || c.Messages != 64 || c.Patience != 30*time.Second || len(c.Chains) != 1 || len(c.Chains[0].Endpoints) != 0 {
		t.Errorf("%+v", c)
	}
}

func TestFaultsAreReportedAllAtOnce(t *testing.T) {
	_, err := load(t, map[string]string{"BALSYNC_BATCH_SIZE": "5000", "BALSYNC_LOCK_DURATION": "1s", "BALSYNC_FAST_ROWS": "0", "BALSYNC_PASS_PACE": "soon"})
	for _, want := range []string{"DATABASE_URL", "NATS_URL", `BALSYNC_BATCH_SIZE="5000": must be a whole number from 10 to 2000`, "BALSYNC_LOCK_DURATION", "BALSYNC_FAST_ROWS", "BALSYNC_PASS_PACE"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the faults do not say %s:\n%v", want, err)
		}
	}
	if _, err := load(t, map[string]string{"DATABASE_URL": "x", "NATS_URL": "y", "BALSYNC_BATCH_SIZE": "20"}); err == nil || !strings.Contains(err.Error(), "must not be above BALSYNC_BATCH_SIZE") {
		t.Errorf("a fast lane of more rows than a batch: %v", err)
	}
}
