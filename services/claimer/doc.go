// Package claimer leases due rows and publishes them as claims: the first half of a row's way.
//
//	             ┌────────────────────────── sweep: the chain's rows in the order of the disk ─┐
//	gate ──open──┤                                                                             ├─► lease ─► publish ─► a fetcher's
//	  ▲          └────────────────────────── fast lane: rows that are new or asked for now ────┘     │         │
//	  │                                                                                              │         └─ not stored ─► release
//	  └── unfinished at the chain's consumers, drain rate                                            └─ crash ─► the lease lapses
//
// The order is always the same: ask the broker how much is unfinished, lease no more than it can take, publish, release what could
// not be published. Leases are committed before they are published, and no transaction is open over a call to the broker: a crash
// between the two costs the rows one lease, and nothing else ever does.
//
// Each chain has two lanes with a gate, a subject and a consumer each, so that neither another chain nor a full sweep delays a row
// that was asked for. Any number of claimers may run: rows are leased with SKIP LOCKED, and each process sweeps from a place of its own.
package claimer
