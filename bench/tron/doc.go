// Package tron measures how fast balances are read, way by way, through the fetcher's own path: single calls, Multicall3 and the
// scanner that returns or reverts with its answer, with and without a round trip's delay, and at a provider's budget of requests.
//
// The node stand-in and the lines to it run in a process of their own (serve), so that what is counted here, allocations above all, is
// the fetcher's alone. A line passes TCP on and counts its bytes: HTTP/2's frames and headers are in them, TLS is not. Requests are
// those that the node counted. All ways read the same rows at the same block, and every value must be the one that single calls gave: a
// way that is fast and wrong fails the bench. It asserts no time.
//
// One claim is in hand at once: single calls are made eight side by side, as by default in production, requests of many one after
// another. A service has several claims in hand, so with a delay the rate of the latter is a fraction of what it reads.
//
// The node cuts off a call at 80 ms as java-tron does, of the time that java-tron would take (metered), or of this machine's, which
// is faster (--wall-clock). The meter decides what fits into a request; how long the stand-in takes is this machine's own either way,
// so rates without a delay are not those of a real node, while requests and bytes are.
package tron
