package natsdev_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/balance-sync/balance-sync/devkit/natsdev"
)

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// client has a stream "work" over "work.>", as it finds or makes it.
func client(t *testing.T, url string) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(within(t), jetstream.StreamConfig{Name: "work", Subjects: []string{"work.>"}}); err != nil {
		t.Fatal(err)
	}
	return js
}

func publish(t *testing.T, js jetstream.JetStream, text string) {
	t.Helper()
	if _, err := js.Publish(within(t), "work.a", []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// stored is the text of every message, oldest first.
func stored(t *testing.T, js jetstream.JetStream) string {
	t.Helper()
	stream, err := js.Stream(within(t), "work")
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for seq := range stream.CachedInfo().State.LastSeq {
		msg, err := stream.GetMsg(within(t), seq+1)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(msg.Data))
	}
	return strings.Join(texts, " ")
}

func start(t *testing.T, dir string, opt natsdev.Options) *natsdev.Server {
	t.Helper()
	s, err := natsdev.Start(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func listens(url string) bool {
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "nats://"))
	return err == nil && conn.Close() == nil
}

func TestPublishedMessagesSurviveARestart(t *testing.T) {
	for name, opt := range map[string]natsdev.Options{"default": {}, "sync always": {SyncAlways: true}} {
		t.Run(name, func(t *testing.T) {
			s := start(t, t.TempDir(), opt)
			url := s.URL()
			publish(t, client(t, url), "before")
			if err := s.Restart(); err != nil {
				t.Fatal(err)
			}
			if s.URL() != url {
				t.Errorf("url %s after the restart, was %s", s.URL(), url)
			}
			js := client(t, url)
			publish(t, js, "after")
			if got := stored(t, js); got != "before after" {
				t.Errorf("stored %q, want %q", got, "before after")
			}
		})
	}
}

func TestConnectedClientComesBackAfterARestart(t *testing.T) {
	s := natsdev.Run(t)
	js := client(t, s.URL())
	back := make(chan struct{})
	js.Conn().SetReconnectHandler(func(*nats.Conn) { close(back) })
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-back:
	case <-within(t).Done():
		t.Fatal("the client did not reconnect")
	}
	publish(t, js, "after")
}

func TestStopReturnsWhenTheServerIsGone(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, natsdev.Options{})
	publish(t, client(t, s.URL()), "kept")
	s.Stop()
	if listens(s.URL()) {
		t.Error("the port is open after Stop")
	}
	// The store has no owner any more: another server may take it.
	next := start(t, dir, natsdev.Options{})
	if got := stored(t, client(t, next.URL())); got != "kept" {
		t.Errorf("stored %q, want %q", got, "kept")
	}
}

func TestStoppedServerCanBeStoppedAndRestarted(t *testing.T) {
	s := natsdev.Run(t)
	s.Stop()
	s.Stop()
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	if !listens(s.URL()) {
		t.Error("the port is closed after Restart")
	}
}

func TestTakenPortIsAnError(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	_, err = natsdev.Start(t.TempDir(), natsdev.Options{Port: taken.Addr().(*net.TCPAddr).Port})
	if err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("error %v, want one that says that the address is in use", err)
	}
}

func TestPortTakenWhileStoppedFailsTheRestart(t *testing.T) {
	s := natsdev.Run(t)
	s.Stop()
	taken, err := net.Listen("tcp", strings.TrimPrefix(s.URL(), "nats://"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Restart(); err == nil {
		t.Error("no error although the port is taken")
	}
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Restart(); err != nil {
		t.Errorf("restart on the freed port: %v", err)
	}
}

func TestUnusableStoreIsAnErrorAndIsLogged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	_, err := natsdev.Start(file, natsdev.Options{Log: &log})
	if err == nil || !strings.Contains(err.Error(), "JetStream") {
		t.Errorf("error %v, want one that names JetStream", err)
	}
	if !strings.Contains(log.String(), "nats fatal: ") {
		t.Errorf("log %q, want a fatal line", log.String())
	}
}

func TestStoreLimitRefusesAStream(t *testing.T) {
	s := start(t, t.TempDir(), natsdev.Options{MaxStore: 1 << 20})
	js := client(t, s.URL())
	_, err := js.CreateStream(within(t), jetstream.StreamConfig{Name: "big", Subjects: []string{"big"}, MaxBytes: 2 << 20})
	if err == nil || !strings.Contains(err.Error(), "insufficient storage") {
		t.Errorf("error %v, want insufficient storage", err)
	}
}
