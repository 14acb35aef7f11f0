// Package evm measures how fast balances are read, way by way, through the fetcher's own path: single calls, JSON-RPC batches,
// Multicall3 and the scanner, on geth and on anvil, with and without a round trip's delay.
//
// The nodes and the line to them run in a process of their own (serve), so that what is counted here, allocations above all, is the
// fetcher's alone. All ways read the same rows at the same block, and every value must be the one that single calls gave: a way that
// is fast and wrong fails the bench. It asserts no time.
package evm
