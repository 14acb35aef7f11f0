package fetcherevm

import (
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// The token refuses contracts, and one wallet whoever asks. That wallet's row is not always the one that speaks for all.
func TestTheRowThatSpeaksForItsTokenIsAnotherEachTime(t *testing.T) {
	node := geth(t, chainID)
	r := readerOf(t, setup(), chainOf(node.URL()))
	shy, refusing := strings.ToLower(node.Tokens()[0].Address[2:]), strings.ToLower(node.Token("reverts").Address[2:])
	question := `","data":"` + balanceOf + strings.ToLower(node.Wallet(0)[2:])
	alter(node, func(request string) string {
		if strings.Contains(request, byOverride) {
			return strings.Replace(request, shy, refusing, 1)
		}
		return strings.ReplaceAll(request, shy+question, refusing+question)
	})
	var rows []fetch.Row
	for i := range 10 {
		rows = append(rows, rowOf(tokenOf(node.Tokens()[0]), node.Wallet(i)))
	}
	for range 50 {
		outcomes := r.Read(t.Context(), rows, 0)
		if err := outcomes[0].Err; err == nil || err.Class != wire.ClassRow {
			t.Fatalf("the refused row got %q %+v", outcomes[0].Raw, err)
		}
		if outcomes[1].Err == nil {
			mustBeTrue(t, node, rows[1:], outcomes[1:])
			return
		}
		r.fleet.tokens = newTokens() // what was learnt of the token is another test's
	}
	t.Error("nine good rows were never read")
}

// Clients give the sender of a call all the coins that there are, so that it can pay: as a contract sees it, not as it is.
func TestTheSenderOfCallsIsNotAskedForByAContract(t *testing.T) {
	node := geth(t, chainID)
	r := readerOf(t, setup(), chainOf(node.URL()))
	zero := "0x" + strings.Repeat("0", 40)
	rows := append(goodRows(node, 3), rowOf(native(), zero), rowOf(tokenOf(node.Tokens()[0]), zero))
	outcomes := r.Read(t.Context(), rows, 0)
	mustBeTrue(t, node, rows, outcomes)
	for i, o := range outcomes {
		if outside := i == len(rows)-2; outside != (o.Proof.Route == batch.String()) {
			t.Errorf("row %d was read by %s", i, o.Proof.Route)
		}
	}
}

// An error that names another request says nothing of this one's token.
func TestARevertOfAnotherRequestIsNoRowsError(t *testing.T) {
	for id, class := range map[string]class{"7": reverted, "8": garbage, "null": reverted} {
		for _, text := range []string{`{"code":3,"message":"execution reverted"}`, `{"code":-32000,"message":"out of gas"}`} {
			got := decodeSingle([]byte(`{"jsonrpc":"2.0","id":`+id+`,"error":`+text+`}`), 7).failed.class
			if (got == garbage) != (class == garbage) {
				t.Errorf("id %s, %s: %s", id, text, got)
			}
		}
		if got := decodeSingle([]byte(`{"jsonrpc":"2.0","id":`+id+`,"error":{"code":-32005,"message":"rate limit"}}`), 7).failed.class; got != limited {
			t.Errorf("id %s: a rate limit is %s", id, got)
		}
	}
}
