package upstream_test

import (
	"testing"

	"github.com/balance-sync/balance-sync/shared/upstream"
)

func TestAPoolIsHealthyWhileOneCanBeUsedAndNoneIsAMistake(t *testing.T) {
	p := admitted("a", "b")
	a, b := p.Endpoints()[0], p.Endpoints()[1]
	expect := func(want string) {
		t.Helper()
		got := ""
		if err := p.Health("wrong_chain"); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	expect("")
	a.Quarantine(upstream.Fault{Code: "lagging", Text: "20 blocks behind"})
	expect("")
	b.Failed(broken, 0)
	b.Failed(broken, 0)
	expect("a: lagging: 20 blocks behind; b: unreachable: connection refused")
	b.Succeeded()
	a.Quarantine(upstream.Fault{Code: "wrong_chain", Text: "answers chain id 1"})
	expect("a: answers chain id 1")
	a.Admit()
	expect("")
}
