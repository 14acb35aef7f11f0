package natsdev_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/balance-sync/balance-sync/devkit/natsdev"
)

// production is a configuration as a node of a cluster has it.
const production = `
server_name: n1
listen: "0.0.0.0:4222"
http: "0.0.0.0:8222"
pid_file: "/nonexistent/nats.pid"
jetstream { store_dir: "/nonexistent", max_file_store: 1GB }
cluster { name: c, listen: "0.0.0.0:6222", routes: ["nats://n2.invalid:6222", "nats://n3.invalid:6222"] }
authorization { users: [ { user: claimer, password: secret, permissions: { publish: "claims.>" } } ] }
`

func configFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestProductionConfigurationRunsAloneOnLoopback(t *testing.T) {
	s := start(t, t.TempDir(), natsdev.Options{ConfigFile: configFile(t, production)})
	nc, err := nats.Connect(s.URL(), nats.UserInfo("claimer", "secret"))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if nc.ConnectedServerName() != "n1" || nc.ConnectedClusterName() != "" {
		t.Errorf("server %q of cluster %q, want n1 of none", nc.ConnectedServerName(), nc.ConnectedClusterName())
	}
}

func TestUsersOfTheConfigurationAreEnforced(t *testing.T) {
	s := start(t, t.TempDir(), natsdev.Options{ConfigFile: configFile(t, production)})
	if nc, err := nats.Connect(s.URL()); err == nil {
		nc.Close()
		t.Error("a client without a user was let in")
	}
}

func TestBadConfigurationIsAnError(t *testing.T) {
	if _, err := natsdev.Start(t.TempDir(), natsdev.Options{ConfigFile: configFile(t, "jetstream {")}); err == nil {
		t.Error("no error")
	}
}
