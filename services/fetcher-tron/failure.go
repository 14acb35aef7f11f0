package fetchertron

import (
	"fmt"
	"time"

	"github.com/balance-sync/balance-sync/shared/wire"
)

// class is what kind of failure a node's answer, or its silence, is. It decides what the fetcher does, and is a metric label.
type class string

const (
	reverted    class = "reverted"     // the token's code failed: the row's error
	codeless    class = "no_contract"  // there is no contract, or one without code: the row's error
	burnt       class = "energy"       // the call used up the node's energy or memory
	exhausted   class = "cpu_time"     // the call used up the node's time; a pause of its collector does that too
	oversized   class = "oversized"    // too much in one request or one answer: ask for less at once
	limited     class = "rate_limited" // over the provider's rate, or over our own budget
	barred      class = "barred"       // authentication: nothing but a person helps
	lagging     class = "lagging"      // the node is behind
	slow        class = "timeout"      // no answer in time
	unsupported class = "unsupported"  // the node does not do this
	garbage     class = "garbled"      // an answer that is none
	down        class = "unreachable"  // the connection or the server failed
	moved       class = "reconnected"  // the answer came over another connection than the proof
	foreign     class = "wrong_chain"  // the node is of another chain
	ahead       class = "ahead"        // a height that the chain cannot have reached
	misfit      class = "misfit"       // the node cannot take this rung of the ladder
	stopped     class = "stopped"      // we gave up waiting, which is nobody's fault
)

// failure is why a request gave no result.
type failure struct {
	class class
	// text is for people, and the node's own words may be in it: wherever it leaves, it is scrubbed and then cut.
	text string
	// pause is how long the node asked to be left alone.
	pause time.Duration
	// blamed says that the pool was told.
	blamed bool
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
	case lagging:
		return wire.CodeLagging
	case slow, down, moved, stopped, exhausted:
		return wire.CodeUnreachable
	case foreign:
		return wire.CodeWrongChain
	case ahead:
		return wire.CodeHeightRefused
	}
	return wire.CodeBadReply
}

// ends reports whether asking the same node for more is pointless or unwelcome.
func (f *failure) ends() bool {
	switch f.class {
	case limited, barred, lagging, moved, foreign, ahead, stopped:
		return true
	}
	return false
}

// tooMuch reports whether less in one request may help.
func (f *failure) tooMuch() bool {
	return f.class == exhausted || f.class == burnt || f.class == oversized
}

// hurts reports whether the failure may be the node's or the one question's: a few of them are the node's.
func (f *failure) hurts() bool { return f.class == slow || f.class == down }
