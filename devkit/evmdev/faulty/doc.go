// Package faulty is a proxy in front of an EVM node that misbehaves in ways that nodes, balancers and providers are known to.
//
// Each way is a [Fault], a switch that can be on or off at any time, together with others:
//
//	front := faulty.Open(t, node.URL())
//	lag := faulty.Lag(50)
//	front.On(lag, faulty.RateLimit("2"))
//	…
//	front.Off(lag)
//
// A request passes the faults in the order in which they were turned on:
//
//	client ─► serve (whole answers: 429, HTML, silence) ─► ask (each call, on its way) ─► node
//	client ◄─ send (the bytes) ◄─ pack (the batch) ◄─ tell (each reply, on its way back) ◄──┘
//
// Without faults, and for bodies that are not JSON-RPC, bytes are passed on as they are. A fault counts what it did, so
// that a test can show that it met the fault at all.
package faulty
