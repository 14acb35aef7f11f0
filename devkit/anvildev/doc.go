// Package anvildev runs anvil, Foundry's development node, as a process of its own on loopback: a second client beside
// evmdev's geth, which words its errors in another way, counts gas in another way and limits other things.
//
// Its first block is evmdev's, so of the same config both nodes hold the same contracts and the same balances in block 0.
// Nothing moves afterwards: what [evmdev.Node.Balance] knows of block 0 is true here at every height.
//
// anvil comes from the npm registry, at the version that npm/package-lock.json pins, into the user's cache, once:
//
//	~/.cache/balance-sync/anvil-<digest of the lock file>/node_modules/@foundry-rs/anvil-<platform>/bin/anvil
//
// So it takes npm and, the first time, the registry. A test without them fails and says so.
package anvildev
