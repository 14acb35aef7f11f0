package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
)

// checkNode asks a real chain's node who it is, before anything is started: a wrong address or a node of another chain is
// a mistake on the command line, and is best told at once.
func checkNode(ctx context.Context, rc realChain) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	if rc.family == chain.TRON {
		return checkTRON(ctx, rc)
	}
	return checkEVM(ctx, rc)
}

// checkTime is how long a node has to say who it is.
const checkTime = 10 * time.Second

func checkEVM(ctx context.Context, rc realChain) error {
	want, err := strconv.ParseUint(rc.id, 10, 64)
	if err != nil || want == 0 {
		return misuse("--chain %s: %q is not a chain id: a number such as 56", rc.name, rc.id)
	}
	client, err := rpc.DialContext(ctx, rc.url.Reveal())
	if err != nil {
		return misuse("--chain %s: %w", rc.name, err)
	}
	defer client.Close()
	var have hexutil.Uint64
	if err := client.CallContext(ctx, &have, "eth_chainId"); err != nil {
		return fault{service.ExitUnhealthy, fmt.Errorf("--chain %s: %w", rc.name, explain(err))}
	}
	if uint64(have) != want {
		return misuse("--chain %s: the node is of chain %d, not %d: give another endpoint or the right id", rc.name, uint64(have), want)
	}
	return nil
}

// explain says what an answer that is not one probably means.
func explain(err error) error {
	var status rpc.HTTPError
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &status):
		return fmt.Errorf("the node answers HTTP %d to eth_chainId: check the path and the key in its URL", status.StatusCode)
	case errors.As(err, &syntax), errors.As(err, &kind):
		return errors.New("what answers at its URL does not speak JSON-RPC (a web page?): check host, port and path")
	case strings.Contains(err.Error(), "malformed HTTP response"): // net/http has no type for it
		return errors.New("what answers at its URL does not speak HTTP (a gRPC port, or one with TLS?): check scheme, host and port")
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("the node did not answer within 10 s")
	}
	return fmt.Errorf("the node cannot be asked for its chain id: %w", err)
}
