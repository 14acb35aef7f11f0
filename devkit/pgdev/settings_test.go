package pgdev

import (
	"slices"
	"testing"
)

func TestSettingsOfTheCallerWinButTheServerStaysOnLoopback(t *testing.T) {
	args := arguments(Options{Settings: map[string]string{
		"shared_buffers":   "1GB",
		"fsync":            "on",
		"listen_addresses": "*",
		"port":             "5432",
	}}, 7)
	for _, want := range []string{
		"shared_buffers=1GB", "fsync=on", "synchronous_commit=off", "max_connections=200",
		"listen_addresses=127.0.0.1", "unix_socket_directories=", "port=7",
	} {
		if !slices.Contains(args, want) {
			t.Errorf("no %s in %v", want, args)
		}
	}
}

func TestDurableServerKeepsWhatPostgresDoesByDefault(t *testing.T) {
	for _, arg := range arguments(Options{Durable: true}, 7) {
		switch arg {
		case "fsync=off", "synchronous_commit=off", "full_page_writes=off":
			t.Errorf("%s in a durable server", arg)
		}
	}
}
