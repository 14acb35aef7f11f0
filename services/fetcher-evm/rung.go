package fetcherevm

// rung is a way to read many balances at an endpoint. The lower its number, the more balances a request reads.
type rung int

// The ladder, from the top. Every rung gives the same values; where a node cannot take one, the next serves.
const (
	override  rung = iota + 1 // the scanner, put at an address by a state override
	create                    // the scanner as initcode of a call without a recipient
	multicall                 // Multicall3's aggregate3
	batch                     // a JSON-RPC batch
	single                    // one call a balance
)

// routes are the rungs' names in proofs, metrics and configuration.
var routes = [...]string{override: "scanner-override", create: "scanner-create", multicall: "multicall3", batch: "batch", single: "single"}

// perRung is something for each rung.
type perRung[T any] [len(routes)]T

// String gives the route.
func (r rung) String() string { return routes[r] }

// scans reports whether the rung runs the scanner.
func (r rung) scans() bool { return r == override || r == create }

// rungOf finds a rung by its route; the top of the ladder for a name that is none, such as "".
func rungOf(route string) rung {
	for r := override; r <= single; r++ {
		if r.String() == route {
			return r
		}
	}
	return override
}
