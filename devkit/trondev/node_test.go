package trondev_test

import (
	"encoding/hex"
	"math/big"
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

func code(text string) []byte {
	raw, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return raw
}

func hexText(raw []byte) string { return hex.EncodeToString(raw) }

func commit(t testing.TB, n *trondev.Node, blocks int) {
	t.Helper()
	if err := n.CommitN(blocks); err != nil {
		t.Fatal(err)
	}
}

// truth is what the oracle says.
func truth(t testing.TB, n *trondev.Node, height int64, token, wallet string) *big.Int {
	t.Helper()
	balance, err := n.Balance(height, token, wallet)
	if err != nil {
		t.Fatal(err)
	}
	return balance
}

// balanceCall asks a token for a balance.
func balanceCall(t testing.TB, token, wallet string) *core.TriggerSmartContract {
	t.Helper()
	input := append([]byte{0x70, 0xa0, 0x82, 0x31, 15: 0}, bytes21(t, wallet)[1:]...)
	return &core.TriggerSmartContract{OwnerAddress: nobody, ContractAddress: bytes21(t, token), Data: input}
}

// headBalance and solidBalance read as a wallet would, one balance a call.
func (c client) headBalance(t testing.TB, token, wallet string) *big.Int {
	t.Helper()
	if token == "" {
		account, err := c.head.GetAccount(t.Context(), &core.Account{Address: bytes21(t, wallet)})
		return coinsOf(t, account, err)
	}
	reply, err := c.head.TriggerConstantContract(t.Context(), balanceCall(t, token, wallet))
	return word(t, reply, err)
}

func (c client) solidBalance(t testing.TB, token, wallet string) *big.Int {
	t.Helper()
	if token == "" {
		account, err := c.solid.GetAccount(t.Context(), &core.Account{Address: bytes21(t, wallet)})
		return coinsOf(t, account, err)
	}
	reply, err := c.solid.TriggerConstantContract(t.Context(), balanceCall(t, token, wallet))
	return word(t, reply, err)
}

func coinsOf(t testing.TB, account *core.Account, err error) *big.Int {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return big.NewInt(account.Balance)
}

// word is the first 32 bytes of a reply that returned.
func word(t testing.TB, reply *api.TransactionExtention, err error) *big.Int {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if !reply.Result.Result || len(reply.Result.Message) > 0 || len(reply.ConstantResult[0]) < 32 {
		t.Fatalf("reply = %v", reply)
	}
	return new(big.Int).SetBytes(reply.ConstantResult[0][:32])
}
