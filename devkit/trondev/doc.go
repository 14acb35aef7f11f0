// Package trondev is a TRON node stand-in, for tests, benches and the development stack: a chain of its own in memory,
// java-tron's gRPC services Wallet, WalletSolidity and Database on loopback, contracts that run in go-ethereum's virtual
// machine, wallets whose balances move from block to block, faults on demand, and an oracle that knows every balance at
// every height.
//
//	Start ── contracts, balances ──> ledger (every height) <── mover ── Commit, Churn, the block timer
//	                                 ^        ^        ^
//	                 Balance (oracle)┘        │        └─ mempool: seen by the head view only
//	                                          │
//	   Wallet ── head view: newest block + mempool ──┐
//	   WalletSolidity ── solid view: newest − lag ───┴─ state ── machine (core/vm, meter) ── trigger (the reply)
//
// What a client can tell from a real node, as far as it is known: replies carry the messages, codes and presence of fields
// that java-tron 4.8 gives, and the golden replies of java-tron's own machine are a test. These differ and must not be
// relied on: energy_used (go-ethereum's prices), hash and caller of internal transactions, the depth limit (1,024, not 64),
// and memory (java-tron stops a frame at 3 MiB). The time that a call takes is metered, not measured: see Config.CPU.
package trondev
