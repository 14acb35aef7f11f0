package claimer

import (
	"math"
	"time"
)

// Of a gate's limits these are not for configuration: leases are meant to be held for seconds.
const (
	horizon  = 10 * time.Second // how much work may be unfinished, in time
	worth    = 5 * time.Second  // how much one claim asks for, in time
	memory   = 5 * time.Second  // how long the rate remembers
	sampling = 50 * time.Millisecond
	// settling is how long the broker may take to count a message that it has confirmed.
	settling = 10 * time.Millisecond
)

// gate says how many rows of a lane may be leased now, so that leases are held only for as long as reading and storing take. What is
// unfinished stays below ten seconds' worth of the rate at which the chain has been seen to finish rows, and below a number of messages.
//
// The rate is learnt from nothing: the first claims are small, and as long as the chain finishes everything that it is given, what
// it is given doubles. A chain that finishes nothing is given nothing more; when it goes on it is found out anew.
// It belongs to one goroutine, knows no clock, and asks nobody.
type gate struct {
	least, most int // rows of a claim
	start       int // rows that may be unfinished when nothing is known
	messages    int // that may be unfinished

	rate       float64 // rows a second that the chain finishes
	perMessage float64 // rows of recent claims

	since       time.Time // of the reading below
	had         int       // unfinished messages then
	published   int       // messages of ours since then
	publishedAt time.Time
	limited     bool // the last claim got all that it asked for: there is more to do than the gate lets through
}

// newGate gives a gate that asks for least to most rows a claim, with up to start rows or so many messages unfinished at first.
func newGate(least, most, start, messages int) *gate {
	g := &gate{least: min(least, most), most: most, start: max(start, least), messages: messages}
	g.rate, g.perMessage = g.leastRate(), float64(g.least)
	return g
}

// leastRate is that of a chain of which nothing is known.
func (g *gate) leastRate() float64 { return float64(g.start) / horizon.Seconds() }

// room takes how many messages are unfinished now, and says for how many rows a claim may ask, 0 for none.
func (g *gate) room(unfinished int, now time.Time) int {
	if now.Sub(g.publishedAt) < settling {
		unfinished = max(unfinished, 1)
	}
	unfinished = g.observe(unfinished, now)
	rate := g.current(now)
	if unfinished+1 > g.messages {
		return 0
	}
	ask := int(math.Round(min(max(rate*worth.Seconds(), float64(g.least)), float64(g.most))))
	if float64(unfinished)*g.perMessage+float64(ask) > max(rate*horizon.Seconds(), float64(g.start)) {
		return 0
	}
	return ask
}

// claimed notes that a claim of so many rows was published. limited: it got as many as it asked for.
func (g *gate) claimed(rows int, limited bool, now time.Time) {
	g.published++
	g.publishedAt, g.limited = now, limited
	g.perMessage += (float64(rows) - g.perMessage) / 4
}

// current is the rate, or less when nothing was finished for longer than a message should take.
func (g *gate) current(now time.Time) float64 {
	if idle := now.Sub(g.since).Seconds(); g.had+g.published > 0 && idle > 0 {
		return max(min(g.rate, g.perMessage/idle), g.leastRate())
	}
	return g.rate
}

// observe learns from a reading, and gives the number of unfinished messages to reckon with.
func (g *gate) observe(unfinished int, now time.Time) int {
	work := g.had + g.published
	elapsed := now.Sub(g.since)
	switch finished := work - unfinished; {
	case work <= 0:
		// There was nothing to finish: this says nothing about the rate.
	case elapsed < sampling:
		return max(unfinished, work)
	case finished <= 0:
		// Others publish too. The time without progress goes on.
		g.had = unfinished - g.published
		return unfinished
	default:
		g.learn(float64(finished)*g.perMessage/elapsed.Seconds(), elapsed, unfinished == 0)
	}
	g.since, g.had, g.published = now, unfinished, 0
	return unfinished
}

// learn takes a sample of the rate. A chain that ran dry could have done more. One sample at most doubles the rate: claims that
// expired in the queue are dropped in no time, and must not look like a chain that has become fast.
func (g *gate) learn(sample float64, elapsed time.Duration, dry bool) {
	before := g.rate
	useful := float64(g.messages*g.most) / horizon.Seconds() // above it the gate lets through no more
	switch {
	case !dry:
		g.rate += (sample - before) * (1 - math.Exp(-elapsed.Seconds()/memory.Seconds()))
	case g.limited:
		g.rate = max(sample, before, min(2*before, useful))
	default:
		g.rate = max(sample, before)
	}
	g.rate = max(min(g.rate, 2*before), g.leastRate())
}
