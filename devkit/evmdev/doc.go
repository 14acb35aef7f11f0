// Package evmdev runs a real geth in this process, for tests, benches and the development stack: a
// chain of its own in memory, JSON-RPC on loopback under geth's default limits, thousands of funded
// wallets, tokens of which some misbehave, balances that move from block to block, and an oracle
// that knows every balance at every height.
//
// Everything is in the genesis block, so a chain of 20,000 wallets starts in two seconds. What
// the wallets hold depends on the chain id, the asset and the wallet's number alone.
//
//	Start ── genesis ──> chain (geth, archive) <── mover ── Commit, Churn, the block timer
//	                       ^             ^
//	         front (HTTP) ─┘             └─ Balance (the state trie)
//
// geth's own log is discarded, as it is in every program that does not set geth's default logger;
// nothing here sets it, since that setting belongs to the process.
package evmdev
