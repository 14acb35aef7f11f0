package trondev

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"slices"
	"sync/atomic"

	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The faults are interceptors: Intercept puts one before the node, Nth and On make them narrower.

// Nth makes a fault strike every nth request only.
func Nth(n int64, fault grpc.UnaryServerInterceptor) grpc.UnaryServerInterceptor {
	var count atomic.Int64
	return func(ctx context.Context, in any, info *grpc.UnaryServerInfo, method grpc.UnaryHandler) (any, error) {
		if count.Add(1)%n != 0 {
			return method(ctx, in)
		}
		return fault(ctx, in, info, method)
	}
}

// On makes a fault strike some methods only, by name, or a service by its full name: "GetAccount", "protocol.Database".
func On(fault grpc.UnaryServerInterceptor, names ...string) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, in any, info *grpc.UnaryServerInfo, method grpc.UnaryHandler) (any, error) {
		service, name := path.Split(info.FullMethod)
		if slices.Contains(names, name) || slices.Contains(names, path.Base(service)) {
			return fault(ctx, in, info, method)
		}
		return method(ctx, in)
	}
}

// Answer refuses every request with a status.
func Answer(code codes.Code, message string) grpc.UnaryServerInterceptor {
	return func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
		return nil, status.Error(code, message)
	}
}

// Hang is a node that takes every request and never answers.
func Hang() grpc.UnaryServerInterceptor {
	return func(ctx context.Context, _ any, _ *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
		<-ctx.Done()
		return nil, status.FromContextError(ctx.Err()).Err()
	}
}

// Storm is a node whose rate limiter does not block: RESOURCE_EXHAUSTED, and no word why.
func Storm() grpc.UnaryServerInterceptor { return Answer(codes.ResourceExhausted, "") }

// Closed is an API that the node's operator has turned off, for good.
func Closed() grpc.UnaryServerInterceptor {
	return Answer(codes.Unavailable, "this API is unavailable due to config")
}

// Lite is an API that a lite fullnode does not serve, for good.
func Lite() grpc.UnaryServerInterceptor {
	return Answer(codes.Unavailable, "this API is closed because this node is a lite fullnode")
}

// Suspended is a provider that has had too many requests: an HTTP status, 403, 429 or 503, and a body that says for how long.
func Suspended(httpStatus, seconds int) grpc.UnaryServerInterceptor {
	return HTTP(httpStatus, fmt.Sprintf(`{"Error":"request rate exceeded the allowed_rps(10), and the query server is suspended for %d s"}`, seconds))
}

// HTTP is an answer from something before the node that does not speak gRPC, as grpc-go's client reports it.
func HTTP(httpStatus int, body string) grpc.UnaryServerInterceptor {
	code, ok := map[int]codes.Code{
		http.StatusBadRequest: codes.Internal, http.StatusUnauthorized: codes.Unauthenticated, http.StatusForbidden: codes.PermissionDenied,
		http.StatusNotFound: codes.Unimplemented, http.StatusTooManyRequests: codes.Unavailable, http.StatusBadGateway: codes.Unavailable,
		http.StatusServiceUnavailable: codes.Unavailable, http.StatusGatewayTimeout: codes.Unavailable,
	}[httpStatus]
	if !ok {
		code = codes.Unknown
	}
	return Answer(code, fmt.Sprintf("unexpected HTTP status code received from server: %d (%s); transport: received unexpected content-type \"application/json\"\ndata: %q",
		httpStatus, http.StatusText(httpStatus), body))
}

// NoConstant is a node with supportConstant=false.
func NoConstant() grpc.UnaryServerInterceptor {
	return Reply(invalid("this node does not support constant"), "TriggerConstantContract")
}

// Forgetful is a node that gives an account of no bytes for every address, as for one that was never activated.
func Forgetful() grpc.UnaryServerInterceptor { return Reply(&core.Account{}, "GetAccount") }

// Mute is a node whose TriggerConstantContract gives a message of no bytes.
func Mute() grpc.UnaryServerInterceptor {
	return Reply(&api.TransactionExtention{}, "TriggerConstantContract")
}

// Reply gives the same message to every request for a method; other methods work.
func Reply(message any, name string) grpc.UnaryServerInterceptor {
	return On(func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) { return message, nil }, name)
}

// OtherGenesis is a node of another chain, by what GetBlock says of block 0; all else is the same.
func OtherGenesis(id [32]byte) grpc.UnaryServerInterceptor {
	return On(func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, method grpc.UnaryHandler) (any, error) {
		out, err := method(ctx, in)
		block, ok := out.(*api.BlockExtention)
		if ok && block.GetBlockHeader().GetRawData().GetNumber() == 0 {
			block.Blockid = id[:]
		}
		return out, err
	}, "GetBlock")
}
