package trondev_test

import (
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/trondev"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
	"google.golang.org/protobuf/proto"
)

func TestGoodAndOddTokensSayWhatTheOracleSays(t *testing.T) {
	n := start(t, trondev.Config{Chain: 11, Wallets: 120})
	c := dial(t, n.URL())
	if err := n.Churn(t.Context(), 0, 120); err != nil {
		t.Fatal(err)
	}
	zeros := 0
	for _, token := range append(append(n.Tokens(), n.Odd()...), trondev.Token{}) {
		wallets := 120
		if token.Name == "heavy" {
			wallets = 5
		}
		for i := range wallets {
			want := truth(t, n, n.Head(), token.Address, n.Wallet(i))
			if have := c.solidBalance(t, token.Address, n.Wallet(i)); have.Cmp(want) != 0 {
				t.Fatalf("%s of wallet %d is %s, want %s", token.Name, i, have, want)
			}
			if want.Sign() == 0 {
				zeros++
			}
		}
	}
	if zeros < 3 {
		t.Errorf("%d balances are zero; a true zero must be among them", zeros)
	}
}

func TestDecimalsAreOnTheChain(t *testing.T) {
	n := start(t, trondev.Config{Chain: 11, Wallets: 1})
	c := dial(t, n.URL())
	for _, token := range n.Tokens() {
		reply, err := c.solid.TriggerConstantContract(t.Context(), &core.TriggerSmartContract{OwnerAddress: nobody, ContractAddress: bytes21(t, token.Address), Data: code("313ce567")})
		if have := word(t, reply, err); have.Int64() != int64(token.Decimals) {
			t.Errorf("%s has %s decimals, want %d", token.Name, have, token.Decimals)
		}
	}
}

func TestBadTokensHaveNoBalance(t *testing.T) {
	n := start(t, trondev.Config{Chain: 11, Wallets: 1, CPU: time.Millisecond})
	c := dial(t, n.URL())
	want := map[string]string{
		"reverts": "REVERT opcode executed", "revert-bomb": "REVERT opcode executed", "returns-nothing": "0 bytes", "returns-31-bytes": "31 bytes",
		"energy-loop": "OutOfTimeException", "invalid-opcode": "IllegalOperationException", "no-contract": "Smart contract is not exist.",
	}
	if len(n.Bad()) != len(want) {
		t.Errorf("%d bad tokens, want %d", len(n.Bad()), len(want))
	}
	for _, token := range n.Bad() {
		reply, err := c.solid.TriggerConstantContract(t.Context(), balanceCall(t, token.Address, n.Wallet(0)))
		if err != nil {
			t.Fatal(err)
		}
		have := string(reply.Result.Message)
		if have == "" {
			have = map[int]string{0: "0 bytes", 31: "31 bytes"}[len(reply.ConstantResult[0])]
		}
		if !strings.Contains(have, want[token.Name]) || want[token.Name] == "" {
			t.Errorf("%s: %q, want %q", token.Name, have, want[token.Name])
		}
		if _, err := n.Balance(n.Head(), token.Address, n.Wallet(0)); err == nil {
			t.Errorf("the oracle has a balance of %s", token.Name)
		}
		if n.Token(token.Name) != token {
			t.Errorf("%s is not found by name", token.Name)
		}
	}
	if none := n.Token("implementation"); none != (trondev.Token{}) {
		t.Errorf("Token finds %v", none)
	}
}

func TestAnAccountThatWasNeverActivatedIsAMessageOfNoBytes(t *testing.T) {
	n := start(t, trondev.Config{Chain: 11, Wallets: 52})
	c := dial(t, n.URL())
	if err := n.Churn(t.Context(), 0, 52); err != nil {
		t.Fatal(err)
	}
	for i, empty := range map[int]bool{0: true, 50: true, 1: false, 51: false, 52: true} {
		account, err := c.solid.GetAccount(t.Context(), accountOf(t, n, i))
		if err != nil || (proto.Size(account) == 0) != empty {
			t.Errorf("wallet %d: %v, %v", i, account, err)
		}
	}
	contract, err := c.solid.GetAccount(t.Context(), &core.Account{Address: bytes21(t, n.Tokens()[0].Address)})
	if err != nil || contract.Type != core.AccountType_Contract {
		t.Errorf("a contract's account: %v, %v", contract, err)
	}
}
