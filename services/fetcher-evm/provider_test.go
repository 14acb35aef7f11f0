package fetcherevm

import (
	"fmt"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/evmdev/faulty"
)

// What providers refuse, in their own words, costs a rung or a size, and never a row.
func TestEveryBatchLimitIsLearntInEveryVendorsWords(t *testing.T) {
	node := geth(t, chainID)
	for _, form := range faulty.Forms {
		for _, most := range []int{1, 3, 100} {
			t.Run(fmt.Sprintf("%s %d", form.Name, most), func(t *testing.T) {
				front := faulty.Open(t, node.URL())
				limit := faulty.BatchLimit(most, form)
				front.On(limit)
				config, rows := setupAt(batch), goodRows(node, 5)
				if most == 100 {
					config.BatchSize, rows = 1000, goodRows(node, 30)
				}
				r := readerOf(t, config, chainOf(front.URL()))
				mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
				mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
				refused := limit.Hits()
				if refused == 0 {
					t.Error("the limit was not met")
				}
				for range 2 {
					mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
				}
				if again := limit.Hits() - refused; again > 1 {
					t.Errorf("%d more batches above a limit that is known", again)
				}
			})
		}
	}
}

func TestAnEndpointThatTakesLessIsReadByTheNextRung(t *testing.T) {
	node := geth(t, chainID)
	rows := goodRows(node, 20)
	const whatever rung = 0
	noOverrides, noInitcode := faulty.RefuseOverrides(), faulty.RefuseInitcode()
	for _, tt := range []struct {
		name   string
		faults []*faulty.Fault
		route  rung
	}{
		{"all is served", nil, override},
		{"overrides are refused", []*faulty.Fault{noOverrides}, create},
		{"overrides are ignored", []*faulty.Fault{faulty.IgnoreOverrides()}, create},
		{"initcode is refused", []*faulty.Fault{noInitcode}, override},
		{"overrides and initcode are refused", []*faulty.Fault{noOverrides, noInitcode}, multicall},
		{"calls get gas for a balance or two", []*faulty.Fault{faulty.GasCap(100_000)}, whatever},
		{"revert data is dropped", []*faulty.Fault{faulty.DropRevertData()}, override},
	} {
		t.Run(tt.name, func(t *testing.T) {
			front := faulty.Open(t, node.URL())
			front.On(tt.faults...)
			r := readerOf(t, setup(), chainOf(front.URL()))
			outcomes := r.Read(t.Context(), rows, 0)
			mustBeTrue(t, node, rows, outcomes)
			if got := outcomes[0].Proof.Route; tt.route != whatever && got != tt.route.String() {
				t.Errorf("read by %s, want %s", got, tt.route)
			}

			// The same at runtime: the endpoint could do all when it was probed.
			front.Off()
			r = readerOf(t, setup(), chainOf(front.URL()))
			mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
			front.On(tt.faults...)
			for range 3 {
				outcomes = r.Read(t.Context(), rows, 0)
				mustBeTrue(t, node, rows, outcomes)
			}
			if got := outcomes[0].Proof.Route; tt.route != whatever && got != tt.route.String() {
				t.Errorf("at runtime read by %s, want %s", got, tt.route)
			}
		})
	}
}

func TestALowGasCapGivesPrefixesUntilAllIsRead(t *testing.T) {
	node := geth(t, chainID)
	rows := goodRows(node, 100)
	for _, at := range []rung{override, create, multicall} {
		for _, most := range []int64{1_000_000, 2_000_000, 10_000_000} {
			front := faulty.Open(t, node.URL())
			gas := faulty.GasCap(most)
			front.On(gas)
			r := readerOf(t, setupAt(at), chainOf(front.URL()))
			mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
			if gas.Hits() == 0 {
				t.Error("the cap was not met")
			}
		}
	}
}

func TestBodiesAndConnectionsBreakWithoutBreakingARow(t *testing.T) {
	node := geth(t, chainID)
	rows := goodRows(node, 40)
	eachWay(t, func(t *testing.T, at rung) {
		for name, fault := range map[string]*faulty.Fault{"a limit of 6,000 bytes": faulty.BodyLimit(6000), "connections that are closed after one request": faulty.HangUp(),
			"replies in another order": faulty.Reorder()} {
			front := faulty.Open(t, node.URL())
			r := readerOf(t, setupAt(at), chainOf(front.URL()))
			front.On(fault)
			for range 2 {
				mustBeTrue(t, node, rows, r.Read(t.Context(), rows, 0))
			}
			if fault.Hits() == 0 && !(at != batch && name == "replies in another order") && !(at == single && name == "a limit of 6,000 bytes") {
				t.Errorf("%s: the fault was not met", name)
			}
		}
	})
}
