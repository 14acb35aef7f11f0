package fetchertron

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/secret"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/peer"
)

// transport is the gRPC connection to one endpoint. It may be used concurrently. It is made at the first call and again
// whenever it is lost: a node closes it after a minute without calls, and a balancer when it likes.
type transport struct {
	conn    *grpc.ClientConn
	timeout time.Duration // of a call
}

// newTransport prepares the connection; nothing is sent. most is the largest answer that is read, in bytes. trust holds the
// certificates to trust, nil for the system's.
func newTransport(e chain.Endpoint, timeout time.Duration, most int, trust *tls.Config) (*transport, error) {
	target, secure, err := parseURL(e.URL)
	if err != nil {
		return nil, err
	}
	wire := insecure.NewCredentials()
	if secure {
		settings := trust.Clone()
		if settings == nil {
			settings = &tls.Config{}
		}
		settings.MinVersion = tls.VersionTLS12
		wire = credentials.NewTLS(settings)
	}
	conn, err := grpc.NewClient("dns:///"+target,
		grpc.WithTransportCredentials(wire),
		grpc.WithPerRPCCredentials(headers(e.Headers)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(most)),
		// A name's TXT record must not decide how often a call is sent.
		grpc.WithDisableServiceConfig(),
		// Keepalive stays off: java-tron answers pings within five minutes with GOAWAY too_many_pings.
		grpc.WithConnectParams(grpc.ConnectParams{MinConnectTimeout: 5 * time.Second,
			Backoff: backoff.Config{BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second}}),
	)
	if err != nil {
		return nil, fmt.Errorf("prepare the connection: %w", err)
	}
	return &transport{conn: conn, timeout: timeout}, nil
}

// The faults of an endpoint's URL. None quotes it.
var (
	errScheme = errors.New("url: the scheme must be grpc (without TLS) or grpcs")
	errTarget = errors.New("url: it must be grpc://host:port or grpcs://host:port and nothing else: keys belong into headers")
)

// parseURL reads grpc://host:port, which is not encrypted, and grpcs://host:port, which is, with TLS 1.2 or newer. gRPC has no
// use for a path, a query or a user: what stood there would be lost, and with it perhaps a key.
func parseURL(text secret.Text) (target string, secure bool, err error) {
	u, err := url.Parse(text.Reveal())
	if err != nil {
		return "", false, errTarget
	}
	if u.Scheme != "grpc" && u.Scheme != "grpcs" {
		return "", false, errScheme
	}
	if u.Hostname() == "" || u.Port() == "" || u.User != nil || u.Opaque != "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" {
		return "", false, errTarget
	}
	return u.Host, u.Scheme == "grpcs", nil
}

// headers are sent with every call, such as TRON-PRO-API-KEY or x-token.
type headers map[string]secret.Text

// GetRequestMetadata gives them to gRPC, which writes their names in lower case.
func (h headers) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	values := make(map[string]string, len(h))
	for key, value := range h {
		values[key] = value.Reveal()
	}
	return values, nil
}

// RequireTransportSecurity is false because TronGrid serves gRPC without TLS only. The log warns of it.
func (h headers) RequireTransportSecurity() bool { return false }

// plain reports whether calls to a URL leave the machine without TLS.
func plain(text secret.Text) bool {
	u, err := url.Parse(text.Reveal())
	if err != nil || u.Scheme != "grpc" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}

// link names one connection to one server: the two ends of it. The empty link is that of a call that was not answered.
type link string

func linkOf(p peer.Peer) link {
	if p.Addr == nil || p.LocalAddr == nil {
		return ""
	}
	return link(p.LocalAddr.String() + ">" + p.Addr.String())
}

// method is a generated stub's.
type method[Q, A any] func(ctx context.Context, question *Q, options ...grpc.CallOption) (*A, error)

// ask makes one call and gives the reply, with the link that it came over. Its failures never hold a header.
func ask[Q, A any](ctx context.Context, t *transport, do method[Q, A], question *Q) (*A, link, *failure) {
	timed, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	var from peer.Peer
	reply, err := do(timed, question, grpc.Peer(&from))
	if err != nil {
		return nil, "", statusFailure(ctx, err)
	}
	over := linkOf(from)
	if over == "" {
		return nil, "", garbled("an answer over a connection without a name")
	}
	return reply, over, nil
}
