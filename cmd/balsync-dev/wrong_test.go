package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/trondev"
	"github.com/balance-sync/balance-sync/shared/service"
)

// answering serves one fixed answer to every request.
func answering(t *testing.T, status int, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // the client judges what it got
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// tronAnswering is a TRON node of a chain of its own.
func tronAnswering(t *testing.T) *trondev.Node {
	t.Helper()
	n, err := trondev.Start(t.Context(), trondev.Config{Chain: 9})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// silence hangs up on everybody without a word.
func silence(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.Close() // that is all it does
		}
	}()
	return listener.Addr().String()
}

func TestMistakesAreToldInOneSentenceThatHelps(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()

	const key = "CANARYCANARYCANARY"
	node := func(url string) []string {
		return []string{"--chain", "bsc,evm,56=" + url + "/" + key, "--wallet", "bsc:0xcA11bde05977b3631167028862bE2a173976CA11", "--for", "1s"}
	}
	const genesis = "00000000000000001ebf88508a03865c71d452e25f4d51194196a1d22b6653dc"
	tron := func(url string) []string {
		return []string{"--chain", "tron,tron," + genesis + "=" + url, "--wallet", "tron:T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb", "--for", "1s"}
	}
	tronNode := tronAnswering(t)
	silent := silence(t)
	anotherChain := answering(t, 200, `{"jsonrpc":"2.0","id":1,"result":"0x1"}`)
	tests := []struct {
		name string
		env  map[string]string
		args []string
		code int
		says string
	}{
		{"no Postgres and no way to get one", map[string]string{"BALSYNC_DEV_PG_BIN": t.TempDir()}, []string{"--for", "1s"}, service.ExitFailed, "install"},
		{"a taken admin port", map[string]string{"BALSYNC_ADMIN_ADDR": taken.Addr().String()}, []string{"--for", "1s"}, service.ExitFailed, "BALSYNC_ADMIN_ADDR"},
		{"a bad flag", nil, []string{"--walets", "3"}, service.ExitUsage, "--help"},
		{"a bad value", nil, []string{"--wallets", "many"}, service.ExitUsage, "--wallets"},
		{"no wallets", nil, []string{"--wallets", "0"}, service.ExitUsage, "from 1 to"},
		{"an argument that is not a flag", nil, []string{"sync"}, service.ExitUsage, `"sync" is not a flag`},
		{"a bad output", nil, []string{"-o", "xml"}, service.ExitUsage, "table or json"},
		{"two ends", nil, []string{"--until-synced", "--for", "3s"}, service.ExitUsage, "choose one"},
		{"a chain without an endpoint", nil, []string{"--chain", "bsc,evm,56", "--wallet", "bsc:0x1"}, service.ExitUsage, "has no endpoint"},
		{"a chain with an empty endpoint", nil, []string{"--chain", "bsc,evm,56=", "--wallet", "bsc:0x1"}, service.ExitUsage, "has no endpoint"},
		{"an endpoint that is not a URL", nil, []string{"--chain", "bsc,evm,56=node", "--wallet", "bsc:0x1"}, service.ExitUsage, "is not a URL"},
		{"a chain without a wallet", nil, []string{"--chain", "bsc,evm,56=http://127.0.0.1:1"}, service.ExitUsage, "--wallet bsc:"},
		{"a wallet of no chain", nil, []string{"--wallet", "bsc:0x1"}, service.ExitUsage, "chain:address"},
		{"a chain id that is not one", nil, []string{"--chain", "bsc,evm,main=http://127.0.0.1:1", "--wallet", "bsc:0x1"}, service.ExitUsage, "not a chain id"},
		{"an unknown family", nil, []string{"--chain", "sol,solana,1=http://127.0.0.1:1", "--wallet", "sol:x"}, service.ExitUsage, "family must be evm or tron"},
		{"a node of another chain", nil, node(anotherChain), service.ExitUsage, "is of chain 1, not 56"},
		{"a node that answers HTML", nil, node(answering(t, 200, "<html>hello</html>")), service.ExitUnhealthy, "does not speak JSON-RPC"},
		{"an EVM endpoint that speaks gRPC", nil, node(strings.Replace(tronNode.URL(), "grpc", "http", 1)), service.ExitUnhealthy, "does not speak HTTP (a gRPC port"},
		{"a node that refuses the key", nil, node(answering(t, 403, "no")), service.ExitUnhealthy, "HTTP 403"},
		{"a node that is not there", nil, node(closed.URL), service.ExitUnhealthy, "cannot be asked"},
		{"a TRON chain without an endpoint", nil, []string{"--chain", "tron,tron," + genesis, "--wallet", "tron:T1"}, service.ExitUsage, "=grpc://"},
		{"a TRON endpoint that is HTTP's", nil, tron("http://127.0.0.1:1"), service.ExitUsage, "such as grpc://"},
		{"a TRON endpoint without a port", nil, tron("grpc://node.example"), service.ExitUsage, "such as grpc://"},
		{"an EVM endpoint that is gRPC's", nil, []string{"--chain", "bsc,evm,56=grpc://127.0.0.1:1", "--wallet", "bsc:0x1"}, service.ExitUsage, "such as https://"},
		{"a TRON chain without a wallet", nil, []string{"--chain", "tron,tron," + genesis + "=grpc://127.0.0.1:1"}, service.ExitUsage, "--wallet tron:T"},
		{"a TRON chain by a number", nil, []string{"--chain", "tron,tron,728126428=" + tronNode.URL(), "--wallet", "tron:T1"}, service.ExitUsage, "64 hex digits"},
		{"a TRON node of another chain", nil, tron(tronNode.URL()), service.ExitUsage, "block 0 is " + tronNode.GenesisID()},
		{"a TRON endpoint that speaks HTTP", nil, tron(strings.Replace(answering(t, 200, "{}"), "http", "grpc", 1)), service.ExitUnhealthy, "does not speak gRPC"},
		{"a TRON endpoint without its TLS", nil, tron(strings.Replace(tronNode.URL(), "grpc", "grpcs", 1)), service.ExitUnhealthy, "grpc://"},
		{"a TRON endpoint that speaks something else", nil, tron("grpc://" + silent), service.ExitUnhealthy, "does not speak gRPC"},
		{"a TRON node that is not there", nil, tron(strings.Replace(closed.URL, "http", "grpc", 1)), service.ExitUnhealthy, "cannot be asked"},
		{"a database that is in use", map[string]string{"DATABASE_URL": migrated(t)}, []string{"--for", "1s", "--wallets", "2"}, service.ExitUsage, "name an empty one"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := drive(t, tt.env, tt.args...)
			last := got.stderr[strings.LastIndex(strings.TrimRight(got.stderr, "\n"), "\n")+1:]
			if got.code != tt.code || !strings.Contains(last, tt.says) {
				t.Errorf("exit %d, want %d; stderr ends in %q, want it to say %q", got.code, tt.code, last, tt.says)
			}
			if strings.Contains(got.stdout+got.stderr, key) {
				t.Errorf("the key of the URL was printed: %s%s", got.stdout, got.stderr)
			}
		})
	}
}

func TestHelpIsNotAMistake(t *testing.T) {
	got := drive(t, nil, "--help")
	if got.code != service.ExitDone || !strings.Contains(got.stdout, "--until-synced") || got.stderr != "" {
		t.Errorf("%+v", got)
	}
}
