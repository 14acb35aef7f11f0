package fetchertron

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/upstream"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
	"google.golang.org/grpc"
)

// wallet is the view of the chain that balances are read from. Blocks must come from the same view: the node's other services, its
// Database among them, may be another port's behind the same address, and tell of a height that the view has not reached.
type wallet interface {
	GetAccount(context.Context, *core.Account, ...grpc.CallOption) (*core.Account, error)
	TriggerConstantContract(context.Context, *core.TriggerSmartContract, ...grpc.CallOption) (*api.TransactionExtention, error)
	GetBlock(context.Context, *api.BlockReq, ...grpc.CallOption) (*api.BlockExtention, error)
}

// walletOf gives the solidified state, or with finality head that of the newest block, which has the unconfirmed transactions in it.
func walletOf(conn *grpc.ClientConn, finality chain.Finality) wallet {
	if finality.Tag == "head" {
		return api.NewWalletClient(conn)
	}
	return api.NewWalletSolidityClient(conn)
}

// node is one endpoint: the way to it, its place in the pool, and what was learnt about it. It may be used concurrently.
type node struct {
	fleet     *fleet
	member    *upstream.Endpoint
	transport *transport
	wallet    wallet
	ladder    *ladder

	mu      sync.Mutex // guards below
	checked link       // the connection whose chain was checked, "" for none
	able    abilities
	probed  time.Time // when that was found out, zero for not
	// spread is how far the endpoint's answers were apart: above 0, several nodes answer for it. spreadSeen is when that was last so.
	spread     int64
	spreadSeen time.Time
}

// request makes one call within the endpoint's budget and concurrency, and counts it. What a failure means for the endpoint is the caller's to
// say: calls are made side by side, and one cause must not be blamed as often as there were calls.
func request[Q, A any](ctx context.Context, n *node, kind string, do method[Q, A], question *Q) (*A, link, *failure) {
	end, err := n.member.Begin(ctx)
	if err != nil {
		f := &failure{class: limited, text: err.Error(), blamed: true}
		if errors.Is(ctx.Err(), context.Canceled) {
			f.class = stopped
		}
		return nil, "", f
	}
	defer end()
	started := time.Now()
	reply, over, f := ask(ctx, n.transport, do, question)
	outcome := "ok"
	if f != nil {
		outcome = string(f.class)
	}
	n.fleet.metrics.took.WithLabelValues(n.member.Name()).Observe(time.Since(started).Seconds())
	n.fleet.metrics.requests.WithLabelValues(n.member.Name(), kind, outcome).Inc()
	return reply, over, f
}

// fell notes that the endpoint has left a rung.
func (n *node) fell(from rung, why *failure) {
	best := n.showRung()
	n.fleet.log.Warn().Str("endpoint", n.member.Name()).Stringer("from", from).Stringer("to", best).Str("reason", n.fleet.clean(why.text)).Msg("endpoint has left a rung")
}

// showRung sets the metric.
func (n *node) showRung() rung {
	best := n.ladder.best(perRung[bool]{})
	n.fleet.metrics.rung.WithLabelValues(n.member.Name()).Set(float64(best))
	return best
}

// blame tells the pool of a failure that is the node's fault, once.
func (n *node) blame(f *failure) {
	if f.blamed {
		return
	}
	fault := upstream.Fault{Code: f.code(), Text: n.fleet.clean(f.text)}
	var out time.Duration
	switch f.class {
	case limited:
		out = n.member.Limited(fault, f.pause)
	case barred:
		out = n.member.Failed(fault, upstream.LongestPause) // only a person can help: asking again makes it worse
	case slow, down, garbage, ahead:
		out = n.member.Failed(fault, f.pause)
	default:
		return
	}
	f.blamed = true
	if out > 0 {
		n.fleet.log.Warn().Str("endpoint", n.member.Name()).Str("class", string(f.class)).Str("reason", fault.Text).Dur("for", out).Msg("endpoint is left alone")
	}
}

// quarantine takes the endpoint out until a check admits it, and raises the alarm.
func (n *node) quarantine(f *failure) {
	n.mu.Lock()
	n.checked, n.probed = "", time.Time{} // whatever comes back may be another node
	n.mu.Unlock()
	text := n.fleet.clean(f.text)
	if n.member.Quarantine(upstream.Fault{Code: f.code(), Text: text}) {
		n.fleet.metrics.quarantines.WithLabelValues(n.member.Name(), f.code()).Inc()
		event := n.fleet.log.Error()
		if f.class == lagging {
			event = n.fleet.log.Warn() // it comes back by itself
		}
		event.Str("endpoint", n.member.Name()).Str("code", f.code()).Str("reason", text).Msg("endpoint is in quarantine")
		n.fleet.report()
	}
}
