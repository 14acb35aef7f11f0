package fetchertron

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// rule names the signs of one class: a gRPC status or the code of a contract's result, and parts of the message in lower case,
// of which one must be there if any is named.
type rule struct {
	class  class
	status []codes.Code
	texts  []string
}

// statusRules judge calls that ended with a gRPC error. They are in the order in which they are tried: what a text says goes before
// what a code says, since UNAVAILABLE is anything from a restart to an interface that is switched off for good. grpc-go makes
// codes of HTTP statuses (401 UNAUTHENTICATED, 403 PERMISSION_DENIED, 404 UNIMPLEMENTED, 429, 502, 503 and 504 UNAVAILABLE) and keeps
// the number in the text. Sources: java-tron 4.8.0's interceptors, grpc-go's http_util.go, the issues of TronGrid's users.
var statusRules = []rule{
	{unsupported, nil, []string{"due to config", "lite fullnode"}},
	{limited, nil, []string{"suspended for", "frequency limit", "allowed_rps", "lack of computing resources"}},
	{oversized, []codes.Code{codes.ResourceExhausted}, []string{"larger than max", "exceeds maximum"}},
	{limited, nil, []string{"received from server: 403", "received from server: 429", "received from server: 503"}},
	{down, nil, []string{"received from server: 5"}},
	{garbage, []codes.Code{codes.Internal}, []string{"unmarshal"}},
	{garbage, []codes.Code{codes.Unknown}, []string{"unexpected content-type"}},
	{limited, []codes.Code{codes.ResourceExhausted, codes.PermissionDenied}, nil},
	{barred, []codes.Code{codes.Unauthenticated}, nil},
	{unsupported, []codes.Code{codes.Unimplemented}, nil},
	{slow, []codes.Code{codes.DeadlineExceeded}, nil},
	{down, []codes.Code{codes.Unavailable, codes.Canceled, codes.Internal, codes.Unknown, codes.Aborted, codes.DataLoss}, nil},
}

// classify names the failure that a gRPC status means.
func classify(code codes.Code, message string) class {
	text := strings.ToLower(message)
	for _, r := range statusRules {
		if (len(r.status) == 0 || slices.Contains(r.status, code)) && r.says(text) {
			return r.class
		}
	}
	return garbage
}

// says reports whether one of the rule's texts is part of the text, or the rule names none.
func (r rule) says(text string) bool {
	return len(r.texts) == 0 || slices.ContainsFunc(r.texts, func(part string) bool { return strings.Contains(text, part) })
}

// restAfterLimit is how long an endpoint rests whose provider finds it over its rate and does not say for how long: what TronGrid gives
// at worst.
const restAfterLimit = 30 * time.Second

var suspension = regexp.MustCompile(`suspended for\s+(\d{1,6})\s*s`)

// statusFailure names what the error of a call means. ctx is the caller's, whose end is not the node's fault.
func statusFailure(ctx context.Context, err error) *failure {
	if ctx.Err() != nil {
		return &failure{class: stopped, text: "the read was given up"}
	}
	s, ok := status.FromError(err)
	if !ok && errors.Is(err, context.DeadlineExceeded) {
		return &failure{class: slow, text: "no answer in time"}
	}
	f := &failure{class: classify(s.Code(), s.Message()), text: strings.TrimSpace(s.Code().String() + " " + s.Message())}
	if f.class == limited {
		if s.Code() != codes.ResourceExhausted { // that is the node itself, which has too much to do just now
			f.pause = restAfterLimit
		}
		if match := suspension.FindStringSubmatch(strings.ToLower(s.Message())); match != nil {
			seconds, _ := strconv.Atoi(match[1]) // six digits at most: it is a number
			f.pause = time.Duration(seconds) * time.Second
		}
	}
	return f
}

// result is what the reply to a constant call says of its own success: all of it comes with gRPC's OK.
type resultRule struct {
	class class
	code  api.ReturnResponseCode
	texts []string
}

// resultRules are in the order in which they are tried. The texts are java-tron's own; a token cannot write into them.
var resultRules = []resultRule{
	{unsupported, api.Return_CONTRACT_VALIDATE_ERROR, []string{"does not support constant"}},
	{codeless, api.Return_CONTRACT_VALIDATE_ERROR, []string{"smart contract is not exist", "no contract or not a"}},
	{exhausted, api.Return_CONTRACT_EXE_ERROR, []string{"outoftimeexception"}},
	{burnt, api.Return_CONTRACT_EXE_ERROR, []string{"outofenergyexception", "outofmemoryexception"}},
	{codeless, api.Return_CONTRACT_EXE_ERROR, []string{"nullpointerexception"}}, // a contract without code
	{reverted, api.Return_CONTRACT_EXE_ERROR, nil},
	{down, api.Return_OTHER_ERROR, nil},
	{down, api.Return_SERVER_BUSY, nil},
	{down, api.Return_NO_CONNECTION, nil},
	{down, api.Return_NOT_ENOUGH_EFFECTIVE_CONNECTION, nil},
	{down, api.Return_BLOCK_UNSOLIDIFIED, nil},
}

// classifyResult names the failure that a constant call's result code and message mean. [reverted] is for SUCCESS with the
// message of a revert, too: java-tron reports a revert as a success.
func classifyResult(code api.ReturnResponseCode, message string) class {
	text := strings.ToLower(message)
	for _, r := range resultRules {
		if r.code == code && (rule{texts: r.texts}).says(text) {
			return r.class
		}
	}
	return garbage
}
