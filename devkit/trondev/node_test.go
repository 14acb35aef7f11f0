package trondev_test

import (
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/trondev"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
	"github.com/mr-tron/base58"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// start runs a node for the length of a test.
func start(t testing.TB, cfg trondev.Config) *trondev.Node {
	t.Helper()
	n, err := trondev.Start(t.Context(), cfg)
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

// client is the three services at one address.
type client struct {
	head  api.WalletClient
	solid api.WalletSolidityClient
	base  api.DatabaseClient
}

func dial(t testing.TB, url string) client {
	t.Helper()
	conn, err := grpc.NewClient(strings.TrimPrefix(url, "grpc://"), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(32<<20)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return client{api.NewWalletClient(conn), api.NewWalletSolidityClient(conn), api.NewDatabaseClient(conn)}
}

// accountOf is the request for wallet i's account.
func accountOf(t testing.TB, n *trondev.Node, i int) *core.Account {
	t.Helper()
	return &core.Account{Address: bytes21(t, n.Wallet(i))}
}

// bytes21 is an address as messages carry it.
func bytes21(t testing.TB, address string) []byte {
	t.Helper()
	raw, err := base58.Decode(address)
	if err != nil || len(raw) != 25 {
		t.Fatalf("%s: %v", address, err)
	}
	return raw[:21]
}
