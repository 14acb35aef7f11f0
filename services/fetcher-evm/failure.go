package fetcherevm

import (
	"cmp"
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
	untagged    class = "no_tag"       // the node does not serve the tag that the chain's finality names
	pruned      class = "pruned"       // the node has dropped the block's state
	slow        class = "timeout"      // no answer in time
	unsupported class = "unsupported"  // the node does not do this
	garbage     class = "garbled"      // an answer that is none
	down        class = "unreachable"  // the connection or the server failed
	crashed     class = "server_error" // the server failed inside, perhaps at this row alone
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

// verdict is what the pool is told of a failure.
type verdict string

const (
	blameless   verdict = "blameless"   // nothing: the endpoint did nothing wrong, or somebody else tells
	fails       verdict = "fails"       // it failed: out for as long as it asks, or as the breaker says
	rests       verdict = "rests"       // over the rate: its key is left alone as long as it asks, and it is asked less at once
	isBarred    verdict = "barred"      // nothing but a person helps: asking again soon makes it worse
	quarantined verdict = "quarantined" // out until a check admits it, which is said where it is found
)

// handling is what the fetcher does about a class of failure.
type handling struct {
	// code is the failure as rows carry it.
	code string
	// pool is what the pool is told.
	pool verdict
	// ends says that asking the same node for more rows of the reading is pointless or unwelcome.
	ends bool
	// besides is what is done more than to ask another endpoint.
	besides string
}

// handlings is every class. What a token did to itself is judged where rows are: see [call.refused].
var handlings = map[class]handling{
	reverted:    {wire.CodeBadReply, blameless, false, "of a token: the row's error, once it is confirmed alone"},
	burnt:       {wire.CodeBadReply, blameless, false, "of a token: once more with much gas, then the row's error"},
	oversized:   {wire.CodeBadReply, blameless, false, "smaller requests from now on"},
	overlong:    {wire.CodeBadReply, blameless, false, "less at once, this time"},
	limited:     {wire.CodeRateLimited, rests, true, "the size stays"},
	barred:      {wire.CodeRateLimited, isBarred, true, ""},
	lagging:     {wire.CodeLagging, blameless, true, "a newer block next time"},
	untagged:    {wire.CodeLagging, quarantined, true, "no value of less finality"},
	pruned:      {wire.CodeLagging, blameless, true, "a newer block next time"},
	slow:        {wire.CodeUnreachable, fails, true, ""},
	unsupported: {wire.CodeBadReply, blameless, false, "another way to ask"},
	garbage:     {wire.CodeBadReply, fails, false, ""},
	down:        {wire.CodeUnreachable, fails, true, ""},
	crashed:     {wire.CodeUnreachable, fails, false, ""},
	foreign:     {wire.CodeWrongChain, quarantined, true, ""},
	ahead:       {wire.CodeHeightRefused, fails, false, ""},
	strayed:     {wire.CodeLagging, fails, true, "a newer block next time"},
	misfit:      {wire.CodeBadReply, blameless, false, "another way to ask"},
	stopped:     {wire.CodeUnreachable, blameless, true, ""},
}

// code is the failure as rows carry it.
func (f *failure) code() string { return cmp.Or(handlings[f.class].code, wire.CodeBadReply) }

// ends reports whether asking the same node for more rows of the reading is pointless or unwelcome.
func (f *failure) ends() bool { return handlings[f.class].ends }

// structural reports whether the node cannot do what the request's rung takes, as far as one answer can tell.
func (f *failure) structural() bool {
	switch f.class {
	case unsupported, reverted, misfit:
		return true
	}
	return (f.class == garbage || f.class == crashed) && f.said
}
