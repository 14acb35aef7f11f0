package fetchertron

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// golden gives the replies of java-tron by name.
func golden(t *testing.T) map[string]*api.TransactionExtention {
	t.Helper()
	file, err := os.Open("testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	replies := map[string]*api.TransactionExtention{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if fields[0] == "#" {
			continue
		}
		data, err := hex.DecodeString(strings.TrimPrefix(fields[3], "hex="))
		if err != nil {
			t.Fatal(err)
		}
		reply := &api.TransactionExtention{}
		if err := proto.Unmarshal(data, reply); err != nil {
			t.Fatalf("%s: %v", fields[1], err)
		}
		if unknown := reply.ProtoReflect().GetUnknown(); len(unknown) > 0 {
			t.Errorf("%s has %d bytes that the stubs do not know", fields[1], len(unknown))
		}
		replies[fields[1]] = reply
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return replies
}

// The single calls of the golden replies ask the token a6… for the balance of 77…05.
func goldenCall(token byte) call {
	c := call{token: address{0: prefix, 1: token}, holder: address{0: prefix}}
	c.holder[1], c.holder[20] = 0x77, 0x05
	return c
}

func TestJavaTronsRepliesAreRead(t *testing.T) {
	replies := golden(t)
	singles := map[string]struct {
		token byte
		want  answer
	}{
		"single-ok":          {0xa6, answer{raw: "38"}},
		"single-revert":      {0xdd, answer{code: wire.CodeReverted, text: "REVERT opcode executed"}},
		"single-emptyreturn": {0xee, answer{code: wire.CodeEmptyReturn, text: "balanceOf returned nothing"}},
		"single-nocontract":  {0xcc, answer{code: wire.CodeNoContract, text: "CONTRACT_VALIDATE_ERROR Contract validate error : Smart contract is not exist."}},
		"badaddr-contract":   {0xbb, answer{code: wire.CodeNoContract, text: "CONTRACT_VALIDATE_ERROR Contract validate error : Smart contract is not exist."}},
	}
	for name, tt := range singles {
		if got := goldenCall(tt.token).triggerAnswer(replies[name]); got != tt.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	// What was asked in these is no balance: only what the node said of it counts.
	others := map[string]struct {
		class class // "" for a success
		bytes int
	}{
		"single-wrong-selector":      {reverted, 0},
		"invalid-opcode-initcode":    {reverted, 0},
		"empty-initcode":             {"", 0},
		"ef-return":                  {reverted, 0},
		"deploy-v2-mixrevert":        {reverted, 0},
		"deploy-v2-mixreturn":        {"", 32 + 7*33},
		"scanner-mix-revert":         {reverted, 0},
		"scanner-mix-return":         {"", 121},
		"scanner-token-2000-timeout": {exhausted, 0},
	}
	for name, tt := range others {
		data, f := returned(replies[name])
		switch {
		case tt.class == "" && (f != nil || len(data) != tt.bytes):
			t.Errorf("%s: %d bytes, %v", name, len(data), f)
		case tt.class != "" && (f == nil || f.class != tt.class || data != nil):
			t.Errorf("%s: %v", name, f)
		}
	}
	if len(replies) != len(singles)+len(others) {
		t.Errorf("%d replies, %d are tested", len(replies), len(singles)+len(others))
	}
}

func TestResultsOfConstantCallsAreClassified(t *testing.T) {
	const exception = "class org.tron.core.vm.program.Program$"
	tests := []struct {
		code    api.ReturnResponseCode
		message string
		want    class
	}{
		{api.Return_CONTRACT_VALIDATE_ERROR, "Contract validate error : this node does not support constant", unsupported},
		{api.Return_CONTRACT_VALIDATE_ERROR, "Contract validate error : Smart contract is not exist.", codeless},
		{api.Return_CONTRACT_VALIDATE_ERROR, "Contract validate error : No contract or not a smart contract", codeless},
		{api.Return_CONTRACT_VALIDATE_ERROR, "Contract validate error : something new", garbage},
		{api.Return_CONTRACT_EXE_ERROR, exception + "OutOfTimeException : CPU timeout for 'JUMPDEST' operation executing", exhausted},
		{api.Return_CONTRACT_EXE_ERROR, exception + "OutOfEnergyException : Not enough energy for 'PUSH1' operation executing: curInvokeEnergyLimit[100000000], curOpEnergy[3], usedEnergy[100000000]", burnt},
		{api.Return_CONTRACT_EXE_ERROR, exception + "OutOfMemoryException : Out of Memory when 'MSTORE' operation executing", burnt},
		{api.Return_CONTRACT_EXE_ERROR, "class java.lang.NullPointerException : null", codeless},
		{api.Return_CONTRACT_EXE_ERROR, exception + "BadJumpDestinationException : Operation with pc isn't 'JUMPDEST': PC[7];", reverted},
		{api.Return_CONTRACT_EXE_ERROR, exception + "IllegalOperationException : Invalid operation code: opCode[fe];", reverted},
		{api.Return_OTHER_ERROR, "class org.tron.core.exception.HeaderNotFound : head is null", down},
		{api.Return_SERVER_BUSY, "", down},
		{api.Return_SIGERROR, "", garbage},
		{api.Return_SUCCESS, "", garbage}, // with result false
	}
	for _, tt := range tests {
		_, f := returned(fails(tt.code, tt.message))
		if f == nil || f.class != tt.want {
			t.Errorf("%v %q: %v, want %s", tt.code, tt.message, f, tt.want)
		}
	}
}

func TestStatusesAreClassified(t *testing.T) {
	tests := []struct {
		code    codes.Code
		message string
		want    class
		pause   time.Duration
	}{
		{codes.Unavailable, "this API is unavailable due to config", unsupported, 0},
		{codes.Unavailable, "this API is closed because this node is a lite fullnode", unsupported, 0},
		{codes.Unimplemented, "Method not found: protocol.WalletSolidity/GetBlock", unsupported, 0},
		{codes.Unimplemented, "unexpected HTTP status code received from server: 404 (Not Found)", unsupported, 0},
		{codes.ResourceExhausted, "", limited, 0},
		{codes.ResourceExhausted, "grpc: received message larger than max (40000000 vs. 33554432)", oversized, 0},
		{codes.ResourceExhausted, "gRPC message exceeds maximum size 4194304: 5000000", oversized, 0},
		{codes.PermissionDenied, "unexpected HTTP status code received from server: 403 (Forbidden)", limited, restAfterLimit},
		{codes.PermissionDenied, "", limited, restAfterLimit},
		{codes.Unavailable, "unexpected HTTP status code received from server: 429 (Too Many Requests)", limited, restAfterLimit},
		{codes.Unavailable, "unexpected HTTP status code received from server: 503 (Service Unavailable)", limited, restAfterLimit},
		{codes.Unavailable, "unexpected HTTP status code received from server: 502 (Bad Gateway)", down, 0},
		{codes.Unavailable, "The key exceeds the frequency limit(15), and the query server is suspended for 30s", limited, 30 * time.Second},
		{codes.PermissionDenied, "request rate exceeded the allowed_rps(10), and the query server is suspended for 5 s", limited, 5 * time.Second},
		{codes.Unknown, "lack of computing resources", limited, restAfterLimit},
		{codes.Unauthenticated, "unexpected HTTP status code received from server: 401 (Unauthorized)", barred, 0},
		{codes.Unauthenticated, "invalid x-token", barred, 0},
		{codes.Unavailable, "connection error: desc = \"transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused\"", down, 0},
		{codes.Unavailable, "error reading from server: EOF", down, 0},
		{codes.Internal, "stream terminated by RST_STREAM with error code: INTERNAL_ERROR", down, 0},
		{codes.Internal, "grpc: failed to unmarshal the received message: proto: cannot parse invalid wire-format data", garbage, 0},
		{codes.Unknown, "unexpected HTTP status code received from server: 200 (OK); malformed header: missing HTTP content-type; received unexpected content-type \"text/html\"", garbage, 0},
		{codes.Unknown, "", down, 0},
		{codes.Canceled, "", down, 0},
		{codes.DeadlineExceeded, "context deadline exceeded", slow, 0},
		{codes.InvalidArgument, "", garbage, 0},
		{codes.NotFound, "", garbage, 0},
	}
	for _, tt := range tests {
		f := statusFailure(t.Context(), status.Error(tt.code, tt.message))
		if f.class != tt.want || f.pause != tt.pause {
			t.Errorf("%v %q: %s for %v, want %s for %v", tt.code, tt.message, f.class, f.pause, tt.want, tt.pause)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if f := statusFailure(ended, status.Error(codes.Canceled, "context canceled")); f.class != stopped {
		t.Errorf("our own end is %s", f.class)
	}
	if f := statusFailure(t.Context(), context.DeadlineExceeded); f.class != slow {
		t.Errorf("an end without a status is %s", f.class)
	}
	if f := statusFailure(t.Context(), errors.New("something new")); f.class != down {
		t.Errorf("an error without a status is %s", f.class)
	}
}
