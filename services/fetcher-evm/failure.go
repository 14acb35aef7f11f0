package fetcherevm

import (
	"fmt"
	"time"

	"github.com/balance-sync/balance-sync/shared/wire"
)

// class is what kind of failure a node's answer, or its silence, is. It decides what the fetcher does, and is a metric label.
type class string

const (
	reverted    class = "reverted"     // the token's code failed: the row's error
	burnt       class = "gas"          // the token's code burnt its gas: the row's error, once it had enough
	oversized   class = "oversized"    // too much in one request: ask in smaller batches
	overlong    class = "overlong"     // too much in one answer: ask for less at once
	limited     class = "rate_limited" // over the provider's rate, or over our own budget
	barred      class = "barred"       // billing or authentication: nothing but a person helps
	lagging     class = "lagging"      // the node lacks the block
	pruned      class = "pruned"       // the node has dropped the block's state
	slow        class = "timeout"      // no answer in time
	unsupported class = "unsupported"  // the node does not do this
	garbage     class = "garbled"      // an answer that is none
	down        class = "unreachable"  // the connection or the server failed
	foreign     class = "wrong_chain"  // the node is of another chain
	ahead       class = "ahead"        // a height that the chain cannot have reached
	strayed     class = "strayed"      // the answer is of another block than it was asked for
	misfit      class = "misfit"       // the node did not run what it was sent, or not to its end
	stopped     class = "stopped"      // we gave up waiting, which is nobody's fault
)

// failure is why a request, or one element of a batch, gave no result.
type failure struct {
	class class
	// text is for people, and the node's own words may be in it: wherever it leaves, it is scrubbed and then cut.
	text string
	// pause is how long the node asked to be left alone.
	pause time.Duration
	// blamed says that the pool was told.
	blamed bool
	// said tells a node's own error from an answer that is none, such as a gateway's page.
	said bool
	// elsewhere tells an answer of another height from one of another block of the same height, as a fork gives.
	elsewhere bool
}

// Error gives class and text.
func (f *failure) Error() string { return string(f.class) + ": " + f.text }

// garbled is the failure of an answer that is not what was asked for.
func garbled(format string, args ...any) *failure {
	return &failure{class: garbage, text: fmt.Sprintf(format, args...)}
}

// code is the failure as rows carry it.
func (f *failure) code() string {
	switch f.class {
	case limited, barred:
		return wire.CodeRateLimited
	case lagging, pruned, strayed:
		return wire.CodeLagging
	case slow, down, stopped:
		return wire.CodeUnreachable
	case foreign:
		return wire.CodeWrongChain
	case ahead:
		return wire.CodeHeightRefused
	}
	return wire.CodeBadReply
}

// ends reports whether asking the same node for more rows of the reading is pointless or unwelcome.
func (f *failure) ends() bool {
	switch f.class {
	case limited, barred, lagging, pruned, strayed, slow, down, foreign, stopped:
		return true
	}
	return false
}

// structural reports whether the node cannot do what the request's rung takes, as far as one answer can tell.
func (f *failure) structural() bool {
	switch f.class {
	case unsupported, reverted, misfit:
		return true
	}
	return f.class == garbage && f.said
}
