// Package upstream is the endpoints of one chain as a pool: which of them may be asked now, how often, how much at once, and
// what they agree on. It knows no protocol: its users ask the nodes, and tell the pool what came of it.
//
// Where an endpoint stands:
//
//	                 Admit                  Failed, again and again
//	quarantined ──────────────► usable ─────────────────────────────► broken, 500 ms doubling to 10 s
//	     ▲                       │  ▲                                    │
//	     └────── Quarantine ─────┘  └── Succeeded ── one turn on trial ◄─┘
//
// Besides, a node may ask to be left alone: Failed with a pause takes it out for as long, Limited takes out every endpoint
// that shares its provider key, whatever else succeeds. [Endpoint.Begin] lets no request go out in a pause, not even one
// that was waiting when it began. An endpoint starts in quarantine, so that none is used before somebody has checked which
// chain it is of.
//
// Of the usable, [Pool.Pick] takes the best by height, then health, then what it has room for, then latency:
//
//	behind the height or the tip < failed last < no budget left < all its concurrency in use < slow < more in flight < turn
//
// How much a node is asked is bounded three ways, and a rate limit never makes a request smaller, only rarer:
//
//	budget       x requests a second for each provider key (token bucket), shared by the endpoints and chains that name it
//	concurrency  requests at once at an endpoint: 2 at first, one more with each success that needed it, halved by Limited,
//	             after which it grows by one in five seconds at most
//	retries      second and further endpoints for the same rows: a fifth of the first tries, and ten saved up
//
// The budget is one process's. Where several replicas serve a chain each takes its part: service.Env divides rps by
// BALSYNC_REPLICAS.
//
// Of the libraries that do such things golang.org/x/time/rate is the token bucket. failsafe-go (read at v0.9.8) is not used:
//
//   - Its breaker asks its DelayFunc only inside its executor: after RecordFailure the delay is the fixed one, so a break
//     cannot double. An executor wraps one function; a turn here is many requests, each judged on its own.
//   - A half-open permit comes back only with a recorded result. A turn that says nothing of the node's health (it lacks the
//     block, or we were stopped) would leave the breaker half-open without permits for good; a turn with two results would
//     give back two permits for one, and the trial would no longer be one turn.
//   - Opening at a node's own wish for N seconds has no expression: Open takes the configured delay, and a success that was
//     under way would close it.
//   - Its retry budget counts what is under way and not what was done, with at least three retries at any time: readers that
//     come one after the other get every retry. Its permit is not exported.
//   - Its limiters of concurrency are of fixed size (bulkhead) or follow latency (adaptivelimiter); here the node's word counts.
//
// Time is package time's, so that tests run in a synctest bubble.
package upstream
