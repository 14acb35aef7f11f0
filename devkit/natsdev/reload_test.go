package natsdev_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/balance-sync/balance-sync/devkit/natsdev"
)

const oneUser = `authorization { users: [ { user: a, password: b, permissions: { publish: "x" } } ] }`

func TestAReloadChangesWhatAConnectedUserMayDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "nats.conf")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(oneUser)
	s := start(t, t.TempDir(), natsdev.Options{ConfigFile: file})
	refusals := make(chan error, 10)
	nc, err := nats.Connect(s.As("a", "b"), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refusals <- err }),
		nats.DisconnectErrHandler(func(*nats.Conn, error) { t.Error("the client was cut off") }))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	publish := func() {
		t.Helper()
		if err := nc.Publish("x", nil); err != nil {
			t.Fatal(err)
		}
		if err := nc.FlushTimeout(10 * time.Second); err != nil {
			t.Fatal(err)
		}
	}
	publish()
	if err := nc.LastError(); err != nil {
		t.Errorf("before: %v", err)
	}
	write(strings.Replace(oneUser, `"x"`, `"y"`, 1))
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	publish()
	select {
	case err := <-refusals:
		if !strings.Contains(err.Error(), `"x"`) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("not refused")
	}
	write("authorization {")
	if err := s.Reload(); err == nil {
		t.Error("a configuration that cannot be read was taken")
	}
	nc.SetDisconnectErrHandler(nil)
	s.Stop()
	if err := s.Reload(); err == nil {
		t.Error("a server that is stopped was reloaded")
	}
}
