package stream

import (
	"errors"
	"fmt"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/nats-io/nats.go/jetstream"
)

// The streams, one per kind of message.
const (
	Claims      = "CLAIMS"
	Results     = "RESULTS"
	DeadLetters = "DLQ"
	Advisories  = "ADVISORY"
)

// ConfigNumber is raised with every change of the plan that services rely on. Consumers carry it in their metadata, and
// services refuse to start on another one; a stream's configuration they may not read.
const ConfigNumber = "1"

const configKey = "bs.config"

// Deliveries of a claim at most. After a reader died it is read in pieces, after two not at all; what a stopping process hands back counts
// here too, but blames nobody.
const Deliveries = 3

// Settings are the values of the plan that an installation may choose.
type Settings struct {
	// Replicas is 1 for one server, 3 for a cluster of three.
	Replicas int
	// Lease is how long a claim's rows are leased; every delivery of a claim must come before it ends.
	Lease time.Duration
	// ClaimAckWait and ResultAckWait are when an unanswered message is delivered again.
	ClaimAckWait, ResultAckWait time.Duration
	// ClaimAge, ResultAge and LetterAge bound the history that can be replayed.
	ClaimAge, ResultAge, LetterAge time.Duration
	// ClaimBytes, ResultBytes and LetterBytes are reserved on the server's disk.
	ClaimBytes, ResultBytes, LetterBytes int64
}

// DefaultSettings are those for production on one server with a lease of two minutes.
func DefaultSettings() Settings {
	return Settings{Replicas: 1, Lease: 2 * time.Minute, ClaimAckWait: 30 * time.Second, ResultAckWait: 60 * time.Second,
		ClaimAge: 48 * time.Hour, ResultAge: 7 * 24 * time.Hour, LetterAge: 30 * 24 * time.Hour,
		ClaimBytes: 4 << 30, ResultBytes: 20 << 30, LetterBytes: 1 << 30}
}

// windows are how long the broker knows a Msg-Id, longer than any publish is tried: it cannot know one that it keeps for less.
const (
	window       = 5 * time.Minute
	letterWindow = time.Hour
)

// Check reports every fault of the settings: what the broker would refuse, and what would lose claims.
func (s Settings) Check() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if s.ClaimAckWait <= 0 || s.ResultAckWait <= 0 {
		fault("ack waits %s and %s: must be above 0", s.ClaimAckWait, s.ResultAckWait)
	}
	if last := (Deliveries-1)*s.ClaimAckWait + 15*time.Second; last >= s.Lease {
		fault("claim ack wait %s: the last of %d deliveries would come %s after the first, the lease lasts %s", s.ClaimAckWait, Deliveries, last, s.Lease)
	}
	if s.Replicas < 1 || s.Replicas > 5 {
		fault("replicas %d: must be from 1 to 5", s.Replicas)
	}
	if s.ClaimAge < window || s.ResultAge < window || s.LetterAge < letterWindow {
		fault("ages %s, %s and %s: claims and results are kept for %s at least, dead letters for %s", s.ClaimAge, s.ResultAge, s.LetterAge, window, letterWindow)
	}
	if s.ClaimBytes <= 0 || s.ResultBytes <= 0 || s.LetterBytes <= 0 {
		fault("sizes %d, %d and %d: every stream needs one, or it may fill the server's disk", s.ClaimBytes, s.ResultBytes, s.LetterBytes)
	}
	return errors.Join(faults...)
}

// Plan is what the broker must hold, as data.
type Plan struct {
	Streams   []jetstream.StreamConfig
	Consumers []PlannedConsumer
	// Recent is how much history a consumer that had been lost starts with: older results are in the database, older claims have expired.
	Recent time.Duration
}

// PlannedConsumer is a durable of a stream.
type PlannedConsumer struct {
	Stream string
	Config jetstream.ConsumerConfig
}

// FetchDurable names the consumer of a chain's claims on a lane, WriteDurable that of its results.
func FetchDurable(family, chain string, lane wire.Lane) string {
	return "fetch-" + family + "-" + chain + "-" + string(lane)
}

// WriteDurable names the consumer of a chain's results.
func WriteDurable(family, chain string) string { return "write-" + family + "-" + chain }

// NewPlan gives the plan for the chains. A new chain needs consumers of its own and changes no stream.
func NewPlan(chains []chain.Config, s Settings) (Plan, error) {
	if err := s.Check(); err != nil {
		return Plan{}, err
	}
	plan := Plan{Streams: s.streams(), Recent: 15 * time.Minute}
	for _, c := range chains {
		family := string(c.Family)
		claims := func(lane wire.Lane, most int) {
			plan.add(Claims, jetstream.ConsumerConfig{Durable: FetchDurable(family, c.Name, lane), FilterSubject: wire.ClaimSubject(family, c.Name, lane),
				AckWait: s.ClaimAckWait, MaxDeliver: Deliveries, MaxAckPending: most, MaxRequestBatch: 16})
		}
		claims(wire.Sweep, 64)
		claims(wire.Fast, 16)
		// A writer that crashes or a database that is down must not use deliveries up: results are delivered for as long as they are kept.
		plan.add(Results, jetstream.ConsumerConfig{Durable: WriteDurable(family, c.Name), FilterSubject: wire.ResultSubject(family, c.Name),
			AckWait: s.ResultAckWait, MaxDeliver: -1, MaxAckPending: 256, MaxRequestBatch: 64})
	}
	return plan, nil
}

func (p *Plan) add(stream string, c jetstream.ConsumerConfig) {
	c.AckPolicy, c.DeliverPolicy, c.ReplayPolicy = jetstream.AckExplicitPolicy, jetstream.DeliverAllPolicy, jetstream.ReplayInstantPolicy
	c.MaxWaiting, c.MaxRequestExpires = 512, time.Minute
	c.Metadata = map[string]string{configKey: ConfigNumber}
	p.Consumers = append(p.Consumers, PlannedConsumer{Stream: stream, Config: c})
}

// streams keeps all messages until their age or size is reached (limits retention), so that history can be replayed.
// The oldest history goes first when space is short; dead letters are refused instead, since they are evidence.
func (s Settings) streams() []jetstream.StreamConfig {
	streams := []jetstream.StreamConfig{
		{Name: Claims, Subjects: []string{"claims.*.*.*"}, MaxAge: s.ClaimAge, MaxBytes: s.ClaimBytes, MaxMsgsPerSubject: 50_000, Duplicates: window},
		{Name: Results, Subjects: []string{"results.*.*"}, MaxAge: s.ResultAge, MaxBytes: s.ResultBytes, MaxMsgsPerSubject: 200_000, Duplicates: window},
		{Name: DeadLetters, Subjects: []string{"dlq.>"}, MaxAge: s.LetterAge, MaxBytes: s.LetterBytes, Duplicates: letterWindow, Discard: jetstream.DiscardNew},
		{Name: Advisories, Subjects: []string{"$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>", "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>"},
			MaxAge: 7 * 24 * time.Hour, MaxBytes: 256 << 20, Duplicates: time.Minute},
	}
	for i := range streams {
		streams[i].Retention, streams[i].Storage, streams[i].Replicas = jetstream.LimitsPolicy, jetstream.FileStorage, s.Replicas
		streams[i].MaxMsgSize, streams[i].AllowDirect = 1<<20, true
		streams[i].Metadata = map[string]string{configKey: ConfigNumber}
	}
	return streams
}
