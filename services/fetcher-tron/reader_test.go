package fetchertron

import (
	"context"
	"io"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/trondev"
	"github.com/balance-sync/balance-sync/shared/wire"
)

func TestAReaderKeepsToItsRoute(t *testing.T) {
	node := start(t, trondev.Config{Wallets: 30})
	c := chainAt(node, node.URL())
	c.Multicall = multicallAt
	rows := standinRows(node, 0, 5)
	for route, want := range map[string]string{"": "scanner-revert", "scanner-revert": "scanner-revert", "scanner-return": "scanner-return", "multicall3": "multicall3", "single": "single"} {
		ctx, stop := context.WithCancel(t.Context())
		config := exact()
		config.Route = route
		r, err := NewReader(ctx, config, c, newProcess(io.Discard))
		if err != nil {
			t.Fatal(err)
		}
		outcomes := r.Read(t.Context(), rows, 0)
		mustBeInLedger(t, node, rows, outcomes, 0)
		for i, o := range outcomes {
			if o.Proof.Route != want {
				t.Fatalf("route %q: row %d was read by %s", route, i, o.Proof.Route)
			}
		}
		stop()
	}
}

func TestAReaderEndsWithItsContext(t *testing.T) {
	node := start(t, trondev.Config{Wallets: 30})
	ctx, stop := context.WithCancel(t.Context())
	r, err := NewReader(ctx, exact(), chainAt(node, node.URL()), newProcess(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	conn := nodeOf(r.(*reader)).transport.conn
	stop()
	for state := conn.GetState(); state.String() != "SHUTDOWN"; state = conn.GetState() {
		if !conn.WaitForStateChange(t.Context(), state) {
			t.Fatal("the connection stays open")
		}
	}
	outcomes := r.Read(t.Context(), standinRows(node, 0, 1), 0)
	noValue(t, outcomes)
	if class := outcomes[0].Err.Class; class != wire.ClassEndpoint {
		t.Error(class)
	}
}

func TestARouteThatIsNoneIsRefused(t *testing.T) {
	node := standin(t, 0)
	config := exact()
	config.Route = "scanner"
	if _, err := NewReader(t.Context(), config, chainAt(node, node.URL()), newProcess(io.Discard)); err == nil {
		t.Error("it was taken")
	}
}
