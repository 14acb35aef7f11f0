package trondev

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// MaxMessage is the largest request that a node takes, in bytes.
const MaxMessage = 4 << 20

// front is the node's gRPC side: a full node's port, which has all three services, and a solidity port, which has no Wallet
// and whose Database shows the solid view.
type front struct {
	full, solid *port
	served      atomic.Int64
	fault       atomic.Pointer[grpc.UnaryServerInterceptor] // nil: none
}

// port is one listener.
type port struct {
	address string
	server  *grpc.Server
	done    chan error // what Serve ended with
}

func openFront(n *Node, maxIdle time.Duration) (*front, error) {
	f := &front{}
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(64 << 20), // the cap is checked by intercept, which can say what java-tron says
		grpc.UnaryInterceptor(f.intercept),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: maxIdle}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Minute}),
	}
	var err error
	f.full, err = openPort(options, func(s *grpc.Server) {
		api.RegisterWalletServer(s, &wallet{node: n})
		api.RegisterWalletSolidityServer(s, &solidity{node: n})
		api.RegisterDatabaseServer(s, &database{view: n.headView})
	})
	if err != nil {
		return nil, err
	}
	f.solid, err = openPort(options, func(s *grpc.Server) {
		api.RegisterWalletSolidityServer(s, &solidity{node: n})
		api.RegisterDatabaseServer(s, &database{view: n.solidView})
	})
	if err != nil {
		return nil, errors.Join(err, f.full.close())
	}
	return f, nil
}

func openPort(options []grpc.ServerOption, register func(*grpc.Server)) (*port, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	p := &port{address: listener.Addr().String(), server: grpc.NewServer(options...), done: make(chan error, 1)}
	register(p.server)
	go func() { p.done <- p.server.Serve(listener) }()
	return p, nil
}

// close frees the port and cuts what is under way.
func (p *port) close() error {
	p.server.Stop()
	// The server may be stopped before the goroutine has begun to serve.
	if err := <-p.done; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serve %s: %w", p.address, err)
	}
	return nil
}

func (f *front) close() error { return errors.Join(f.full.close(), f.solid.close()) }

// intercept is before every method.
func (f *front) intercept(ctx context.Context, in any, info *grpc.UnaryServerInfo, method grpc.UnaryHandler) (any, error) {
	f.served.Add(1)
	if message, ok := in.(proto.Message); ok {
		if size := proto.Size(message); size > MaxMessage {
			return nil, status.Errorf(codes.ResourceExhausted, "gRPC message exceeds maximum size %d: %d", MaxMessage, size)
		}
	}
	if fault := f.fault.Load(); fault != nil {
		return (*fault)(ctx, in, info, method)
	}
	return method(ctx, in)
}

// URL is where Wallet, WalletSolidity and Database answer: grpc://127.0.0.1 and its port. The scheme grpc means without TLS.
func (n *Node) URL() string { return "grpc://" + n.front.full.address }

// SolidityURL is where WalletSolidity and Database answer as on a node's solidity port: there is no Wallet, and Database shows
// the solid view.
func (n *Node) SolidityURL() string { return "grpc://" + n.front.solid.address }

// Requests counts the gRPC requests since the start, on both ports, those that a fault answered included.
func (n *Node) Requests() int64 { return n.front.served.Load() }

// Intercept puts a fault before the node, from the next request on, in place of the one set before; nil takes it away.
// Requests under way keep the one they came in with.
func (n *Node) Intercept(fault grpc.UnaryServerInterceptor) {
	if fault == nil {
		n.front.fault.Store(nil)
		return
	}
	n.front.fault.Store(&fault)
}

// Lag makes both views stand so many blocks behind where they should, as on a node that has lost its peers; 0 ends it. The
// chain has some 100 blocks before the head at the start, and no more. The oracle and Head are not touched.
func (n *Node) Lag(blocks int64) { n.behind.Store(blocks) }
