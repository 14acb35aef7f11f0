package fetcherevm

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

var (
	someToken          = address{0: 1, 19: 1}
	oneHolder, another = address{1: 1}, address{1: 2}
	anError            = answer{code: wire.CodeReverted, text: "no"}
)

func TestATokenIsShutOutForLongerEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTokens()
		if b.failed(someToken, oneHolder, true, anError) {
			t.Fatal("shut out after one reading")
		}
		if g, _ := b.gate(someToken); g != open {
			t.Fatalf("gate %d", g)
		}
		if !b.failed(someToken, another, true, anError) {
			t.Fatal("not shut out after two readings")
		}
		for _, pause := range []time.Duration{1, 2, 4, 8, 16, 32, 32, 32} {
			<-time.After(pause*time.Minute - time.Second)
			if g, a := b.gate(someToken); g != shut || a != anError {
				t.Fatalf("gate %d, %+v before %d minutes are over", g, a, pause)
			}
			<-time.After(time.Second)
			if g, _ := b.gate(someToken); g != trial {
				t.Fatalf("gate %d after %d minutes", g, pause)
			}
			if g, _ := b.gate(someToken); g != shut {
				t.Fatal("two readings try it at once")
			}
			if b.failed(someToken, oneHolder, false, anError) {
				t.Error("a token that is shut out already is news")
			}
		}
		if !b.served(call{token: someToken}, true) {
			t.Error("it was not shut out")
		}
		if g, _ := b.gate(someToken); g != open {
			t.Errorf("gate %d after a value", g)
		}
	})
}

func TestATrialThatTheNodeDidNotAnswerIsMadeAgainSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTokens()
		b.failed(someToken, oneHolder, true, anError)
		b.failed(someToken, oneHolder, true, anError)
		<-time.After(firstShut)
		if g, _ := b.gate(someToken); g != trial {
			t.Fatalf("gate %d", g)
		}
		<-time.After(trialTime)
		if g, _ := b.gate(someToken); g != trial {
			t.Errorf("gate %d", g)
		}
	})
}

// One wallet that a token refuses must not shut out the token for the others.
func TestATokenThatFailsForOneWalletOnlyIsNotShutOut(t *testing.T) {
	b := newTokens()
	for range 10 {
		b.failed(someToken, oneHolder, false, anError)
	}
	if g, _ := b.gate(someToken); g != open {
		t.Errorf("gate %d", g)
	}
	if !b.failed(someToken, another, false, anError) {
		t.Error("a second wallet does not count")
	}
}

func TestBadTokensAreForgottenWhenThereAreTooMany(t *testing.T) {
	b := newTokens()
	for i := range mostBad + 100 {
		b.failed(address{0: byte(i), 1: byte(i >> 8), 2: byte(i >> 16), 19: 1}, oneHolder, true, anError)
	}
	if len(b.bad) != mostBad {
		t.Errorf("%d are remembered", len(b.bad))
	}
}

func TestATokenThatIsShutOutCostsNoRequestAndComesBack(t *testing.T) {
	node := geth(t, chainID)
	for at := override; at <= single; at++ {
		r := readerOf(t, setupAt(at), chainOf(node.URL()))
		bad := node.Token("reverts")
		good := goodRows(node, 5)
		rows := append([]fetch.Row{}, good...)
		for i := range 5 {
			rows = append(rows, rowOf(tokenOf(bad), node.Wallet(i)))
		}
		check := func(outcomes []fetch.Outcome) {
			t.Helper()
			mustBeTrue(t, node, good, outcomes[:len(good)])
			for _, o := range outcomes[len(good):] {
				if o.Err == nil || o.Err.Class != wire.ClassRow || o.Err.Code != wire.CodeReverted {
					t.Errorf("%s: %q %+v", at, o.Raw, o.Err)
				}
			}
		}
		for range 2 {
			check(r.Read(t.Context(), rows, 0))
		}
		before := node.Requests()
		check(r.Read(t.Context(), rows, 0))
		r.Read(t.Context(), good, 0) // the same without it
		first := node.Requests() - before
		before = node.Requests()
		r.Read(t.Context(), good, 0)
		r.Read(t.Context(), good, 0)
		if second := node.Requests() - before; first > second+3 { // a block may have to be found in between
			t.Errorf("%s: %d requests with the token, %d without", at, first, second)
		}
		if n := testutil.ToFloat64(r.fleet.metrics.shut.WithLabelValues("shut")); n != 1 {
			t.Errorf("%s: %v tokens shut out", at, n)
		}
		// Its time is over: one row is tried alone, and what is found decides for all.
		lift(r, address(mustParse(t, bad.Address)))
		spared := testutil.ToFloat64(r.fleet.metrics.shut.WithLabelValues("spared"))
		check(r.Read(t.Context(), rows, 0))
		if n := testutil.ToFloat64(r.fleet.metrics.shut.WithLabelValues("spared")); n != spared+5 {
			t.Errorf("%s: %v rows were answered by the trial", at, n-spared)
		}
		// A token that is well again, here a good one that was taken for bad, is read at once.
		well := mustParse(t, node.Tokens()[0].Address)
		for _, holder := range []address{oneHolder, another} {
			r.fleet.tokens.failed(well, holder, true, anError)
		}
		if got := codes(r.Read(t.Context(), good, 0)); got["row reverted"] != 5 {
			t.Errorf("%s: %v", at, got)
		}
		lift(r, well)
		mustBeTrue(t, node, good, r.Read(t.Context(), good, 0))
		if n := testutil.ToFloat64(r.fleet.metrics.shut.WithLabelValues("opened")); n != 1 {
			t.Errorf("%s: %v tokens came back", at, n)
		}
	}
}

// A wallet that its token refuses must not keep the token shut for the others, nor shut it with two rows of its own.
func TestAWalletThatATokenRefusesDoesNotShutItForOthers(t *testing.T) {
	node := geth(t, chainID)
	r := readerOf(t, setupAt(batch), chainOf(node.URL()))
	asset := tokenOf(node.Tokens()[0])
	well, question := mustParse(t, asset.Contract), `","data":"`+balanceOf+strings.ToLower(node.Wallet(0)[2:])
	alter(node, func(request string) string {
		return strings.ReplaceAll(request, well.String()+question, strings.ToLower(node.Token("reverts").Address)+question)
	})
	refused, good := rowOf(asset, node.Wallet(0)), rowOf(asset, node.Wallet(1))
	for range 3 {
		r.Read(t.Context(), []fetch.Row{refused, rowOf(asset, node.Wallet(0))}, 0)
	}
	if g, _ := r.fleet.tokens.gate(well); g != open {
		t.Errorf("gate %d", g)
	}
	for range 30 { // which row is tried is chance
		for _, holder := range []address{oneHolder, another} {
			r.fleet.tokens.failed(well, holder, true, anError)
		}
		lift(r, well)
		rows := []fetch.Row{refused, good}
		outcomes := r.Read(t.Context(), rows, 0)
		noValue(t, outcomes[:1])
		mustBeTrue(t, node, rows[1:], outcomes[1:])
	}
}

// lift lets the time pass for which a token is shut out.
func lift(r *reader, token address) {
	r.fleet.tokens.mu.Lock()
	defer r.fleet.tokens.mu.Unlock()
	r.fleet.tokens.bad[token].until = time.Now()
}

func mustParse(t *testing.T, text string) address {
	t.Helper()
	a, err := parseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
