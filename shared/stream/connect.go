// Package stream is our use of NATS JetStream: connecting, provisioning, publishing, pulling, dead letters.
//
// What makes "nothing lost" true is the database lease, not the broker: no ack is treated as durable, every handler is
// idempotent, and a message that vanishes costs one lease. So this package offers delivery at least once and nothing more.
package stream

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Options say where the broker is and who connects.
type Options struct {
	// URL is a NATS URL or a comma list of them; a secret, since it may carry a password.
	URL secret.Text
	// Creds is the path of a credentials file, "" for none.
	Creds string
	// Service is the user's role: its inbox is _INBOX.<service>, the only one that its permissions let it subscribe to.
	Service string
	// Instance tells connections of the same service apart on the broker.
	Instance string
	// Report is told why the broker cannot be used (not connected, a permission refused), and nil when it can. It may be nil, and is
	// called from several goroutines.
	Report func(error)
}

// LoadOptions reads NATS_URL and NATS_CREDS for a service.
func LoadOptions(env *service.Env, name string) Options {
	url := env.Require("NATS_URL", env.Secret("NATS_URL"), "where JetStream is, such as nats://127.0.0.1:4222")
	if !url.Empty() && !isNATS(url.Reveal()) {
		env.Fault("NATS_URL is not a URL such as nats://127.0.0.1:4222, or a comma list of them") // not quoted: it may hold a password
	}
	return Options{URL: url, Creds: env.SecretFile("NATS_CREDS"), Service: name, Instance: env.Instance()}
}

// isNATS says whether a text is a comma list of what the client takes for servers: URLs of its schemes, or host:port without one.
func isNATS(list string) bool {
	for one := range strings.SplitSeq(list, ",") {
		one = strings.TrimSpace(one)
		if !strings.Contains(one, "://") {
			one = "nats://" + one
		}
		u, err := url.Parse(one)
		if err != nil || u.Hostname() == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
			return false
		}
	}
	return true
}

// Conn is a connection to the broker that reconnects for ever. It may be used concurrently.
type Conn struct {
	JS    jetstream.JetStream
	Clock *Clock

	nc          *nats.Conn
	denied      denial
	letterDelay time.Duration
}

// Connect opens a connection. It waits for the first connection until ctx ends, then reports why none came about.
// Later interruptions are the client's to mend; [Conn.Healthy] shows them.
func Connect(ctx context.Context, opt Options) (*Conn, error) {
	c := &Conn{Clock: &Clock{}, letterDelay: letterDelay}
	up := make(chan struct{}, 1)
	report := func(err error) {
		if opt.Report != nil {
			opt.Report(err)
		}
	}
	connected := func(*nats.Conn) {
		report(nil)
		select {
		case up <- struct{}{}:
		default:
		}
	}
	c.denied.lasts = denialLasts
	// A right that was granted again while the connection lasted: nothing else tells.
	c.denied.over = func() {
		if c.nc.IsConnected() && c.Denied() == nil {
			report(nil)
		}
	}
	var refusal atomic.Pointer[error] // why the last try failed; the client itself forgets it
	options := []nats.Option{
		nats.Name(opt.Service + "/" + opt.Instance),
		nats.CustomInboxPrefix("_INBOX." + opt.Service),
		nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true), nats.IgnoreAuthErrorAbort(),
		nats.ReconnectWait(250 * time.Millisecond), nats.ReconnectJitter(250*time.Millisecond, 250*time.Millisecond),
		// No buffer while disconnected: a publish that had timed out would be sent after the reconnect, long after its caller gave up.
		nats.ReconnectBufSize(-1),
		nats.PingInterval(10 * time.Second), nats.MaxPingsOutstanding(2), nats.Timeout(3 * time.Second),
		nats.ConnectHandler(connected), nats.ReconnectHandler(func(nc *nats.Conn) { c.denied.forget(); connected(nc) }),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) {
			refusal.Store(&err)
			report(fmt.Errorf("connect to nats: %w", err))
		}),
		nats.DisconnectErrHandler(func(nc *nats.Conn, _ error) {
			if !nc.IsDraining() && !nc.IsClosed() { // not when we close it
				report(errors.New("not connected to nats"))
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if refused(err) { // while reconnecting nothing else tells
				refusal.Store(&err)
				report(fmt.Errorf("connect to nats: %w", err))
			}
			c.denied.note(err, time.Now())
			if denied := c.Denied(); denied != nil {
				report(denied)
			}
		}),
	}
	if opt.Creds != "" {
		options = append(options, nats.UserCredentials(opt.Creds))
	}
	nc, err := nats.Connect(opt.URL.Reveal(), options...)
	if err != nil {
		return nil, fmt.Errorf("connect to nats (NATS_URL): %w", withoutURL(err))
	}
	c.nc = nc
	if c.JS, err = jetstream.New(nc, jetstream.WithDefaultTimeout(2*time.Second)); err != nil {
		nc.Close()
		return nil, fmt.Errorf("use jetstream: %w", err)
	}
	select {
	case <-up:
		return c, nil
	case <-ctx.Done():
		cause := nc.LastError()
		if last := refusal.Load(); cause == nil && last != nil {
			cause = *last
		}
		nc.Close()
		if cause == nil {
			cause = errors.New("no server answered")
		}
		return nil, fmt.Errorf("connect to nats (NATS_URL): %w", ended(ctx, withoutURL(cause)))
	}
}

// refused says that the broker does not take the user: a password or key that is wrong, or has expired.
func refused(err error) bool {
	return errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) || errors.Is(err, nats.ErrAuthRevoked) || errors.Is(err, nats.ErrAccountAuthExpired)
}

// withoutURL drops the URL, which may carry a password, from the error that quotes it.
func withoutURL(err error) error {
	if parse, ok := errors.AsType[*url.Error](err); ok && parse.Op == "parse" {
		return errors.New("not a URL such as nats://127.0.0.1:4222")
	}
	return err
}

// Denied is the permission that the broker refused last, or nil: since the connection was made, and in the last minute.
func (c *Conn) Denied() error { return c.denied.current(time.Now()) }

// explain adds the refused permission, if there is one, to an error that may be its consequence.
func (c *Conn) explain(err error) error {
	if denied := c.Denied(); err != nil && denied != nil {
		return fmt.Errorf("%w: %w", err, denied)
	}
	if errors.Is(err, nats.ErrReconnectBufExceeded) { // the client's name for having no connection: we let it buffer nothing
		for _, ended := range []error{context.DeadlineExceeded, context.Canceled} {
			if errors.Is(err, ended) {
				return fmt.Errorf("nats is not connected: %w", ended)
			}
		}
		return errors.New("nats is not connected")
	}
	return err
}

// Healthy reports why the broker cannot be used: not connected, or a permission is missing.
func (c *Conn) Healthy() error {
	if err := c.Denied(); err != nil {
		return fmt.Errorf("nats refuses a permission: %w", err)
	}
	if state := c.nc.Status(); state != nats.CONNECTED {
		return fmt.Errorf("nats is %s", strings.ToLower(state.String()))
	}
	return nil
}

// Close sends what is buffered, such as the last acks, and closes. Subscriptions must have ended.
func (c *Conn) Close() {
	if c.nc.IsConnected() {
		_ = c.nc.FlushTimeout(2 * time.Second) // an ack that is lost here is a redelivery, and nobody is left to tell
	}
	c.nc.Close()
	c.denied.end()
}
