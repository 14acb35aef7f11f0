package fetchertron

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/fault"
	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"google.golang.org/protobuf/proto"
)

// A connection may end before a call, after the node has answered it and before we have the answer, or between two calls. Whatever
// was proven is kept, nothing else is, and the next read goes over a new connection.
func TestAConnectionThatIsCutCostsATry(t *testing.T) {
	for _, kind := range []string{"block", "account", "constant"} {
		for _, late := range []bool{false, true} {
			node := newScript(t)
			proxy := fault.NewProxy(t, strings.TrimPrefix(node.url, "grpc://"))
			node.url = "grpc://" + proxy.Addr()
			c := chainOf(node)
			r := readerOf(t, setup(), c)
			rows := goodRows(10)
			mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
			var once sync.Once
			node.intercept(func(_ context.Context, q inquiry) (proto.Message, error) {
				var reply proto.Message
				if late {
					reply = q.answer()
				}
				if q.kind == kind {
					once.Do(proxy.Cut)
				}
				if !late {
					reply = q.answer()
				}
				return reply, nil
			})
			noFalse(t, node, rows, r.Read(t.Context(), rows, 0))
			wait.For(t, 20*time.Second, "the rows are read over a new connection", func() bool {
				for _, n := range r.fleet.nodes {
					n.member.Succeeded() // the breaker is not what is tested
				}
				outcomes := r.Read(t.Context(), rows, 0)
				noFalse(t, node, rows, outcomes)
				return counts(outcomes)["value"] == len(rows)
			})
		}
	}
}

// noFalse compares the values that there are with the solidified view.
func noFalse(t *testing.T, node *script, rows []fetch.Row, outcomes []fetch.Outcome) {
	t.Helper()
	for i, o := range outcomes {
		if o.Raw != "" {
			mustBeTrue(t, node, rows[i:i+1], outcomes[i:i+1])
		}
	}
}
