package main

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// checkTRON asks a node for its block 0, in the view that balances are read from: the solid one.
func checkTRON(ctx context.Context, rc realChain) error {
	want, err := hex.DecodeString(rc.id)
	if err != nil || len(want) != 32 {
		return misuse("--chain %s: %q is not the id of a block 0: 64 hex digits, such as mainnet's 00000000000000001ebf88508a03865c71d452e25f4d51194196a1d22b6653dc", rc.name, rc.id)
	}
	u, err := url.Parse(rc.url.Reveal())
	if err != nil {
		return misuse("--chain %s: %w", rc.name, err)
	}
	security := insecure.NewCredentials()
	if u.Scheme == "grpcs" {
		security = credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12})
	}
	conn, err := grpc.NewClient(u.Host, grpc.WithTransportCredentials(security))
	if err != nil {
		return misuse("--chain %s: %w", rc.name, err)
	}
	defer func() { _ = conn.Close() }() // one question was asked on it
	block, err := api.NewWalletSolidityClient(conn).GetBlock(ctx, &api.BlockReq{IdOrNum: "0"})
	switch {
	case err != nil:
		return fault{service.ExitUnhealthy, fmt.Errorf("--chain %s: %w", rc.name, explainTRON(err))}
	case len(block.GetBlockid()) != 32 || block.GetBlockHeader().GetRawData().GetNumber() != 0:
		return fault{service.ExitUnhealthy, fmt.Errorf("--chain %s: the node does not tell its block 0: is it a full node or a solidity node?", rc.name)}
	case string(block.Blockid) != string(want):
		return misuse("--chain %s: the node's block 0 is %x, not %s: give another endpoint or the right id", rc.name, block.Blockid, rc.id)
	}
	return nil
}

// explainTRON says what an answer that is not one probably means.
func explainTRON(err error) error {
	text := status.Convert(err).Message()
	switch status.Code(err) {
	case codes.DeadlineExceeded:
		return fmt.Errorf("the node did not answer within %s: check host and port", checkTime)
	case codes.Unimplemented:
		return fmt.Errorf("what answers at its URL has no WalletSolidity: check host and port (%s)", text)
	case codes.Unauthenticated, codes.PermissionDenied:
		return fmt.Errorf("the node refuses to be asked: does it want a key? (%s)", text)
	}
	// What is none of these is a connection that was made and did not go on as gRPC's do.
	if status.Code(err) == codes.Unavailable && !strings.Contains(text, "dialing") && !strings.Contains(text, "HTTP status") || strings.Contains(text, "handshake") {
		return errors.New("what answers at its URL does not speak gRPC (the HTTP port? with TLS it is grpcs://, without it grpc://): check scheme, host and port")
	}
	return fmt.Errorf("the node cannot be asked for its block 0: %w", err)
}
