package fetcherevm

import (
	"fmt"
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// In the place of a block that is not there a newer one could be read, but nobody asked for a value of less finality.
func TestANodeWithoutTheConfiguredTagGivesNoValueOfLessFinality(t *testing.T) {
	for _, answer := range []string{
		`"error":{"code":-39001,"message":"safe block not found"}`, `"error":{"code":-32602,"message":"malformed blocknumber"}`,
		`"error":{"code":-32601,"message":"\"safe\" is not a supported commitment level"}`, `"result":null`,
	} {
		node := geth(t, chainID)
		refuse := func(e exchange) string {
			if strings.Contains(e.request, `"safe"`) {
				return e.answer[:strings.Index(e.answer, `"result"`)] + answer + "}"
			}
			return e.answer
		}
		c := chainOf(node.URL())
		c.Finality = chain.Finality{Tag: "safe"}
		r := readerOf(t, setup(), c)
		rows := goodRows(node, 2)
		mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))

		rewrite(node, refuse) // the tag is lost while the endpoint is in use
		for _, n := range r.fleet.nodes {
			n.unpin()
		}
		outcomes := r.Read(t.Context(), rows, 0)
		noValue(t, outcomes)
		mustTell(t, r, outcomes[0].Err.Code, outcomes[0].Err.Message)
		r.fleet.round(t.Context())
		noValue(t, r.Read(t.Context(), rows, 0))

		never := readerOf(t, setup(), c) // it never had the tag: the first check says so
		outcomes = never.Read(t.Context(), rows, 0)
		noValue(t, outcomes)
		mustTell(t, never, outcomes[0].Err.Code, outcomes[0].Err.Message)

		node.Intercept(nil)
		never.fleet.round(t.Context())
		outcomes = never.Read(t.Context(), rows, 0)
		mustBeTrue(t, node, rows, outcomes)
		if outcomes[0].Proof.Finality != "safe" {
			t.Errorf("finality %s", outcomes[0].Proof.Finality)
		}
	}
}

// mustTell fails unless the row and the readiness page both say what to do about the tag.
func mustTell(t *testing.T, r *reader, code, message string) {
	t.Helper()
	if code != wire.CodeLagging || !strings.Contains(message, "no safe block") {
		t.Errorf("row: %s, %s", code, message)
	}
	if ready, states := r.fleet.process.Health.Ready(); ready || !strings.Contains(fmt.Sprint(states), "set finality: latest-N") {
		t.Errorf("ready %t: %v", ready, states)
	}
}
