package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Change is something that provisioning did.
type Change struct {
	Kind, Name string // "stream" or "consumer"
	Made       bool   // true: created, false: brought back to the plan
}

// Provision makes the broker hold the plan and reports what it changed. It is idempotent and the only code that creates or
// changes streams and consumers: two services that did would overwrite each other's. What cannot be changed in place (storage, a
// consumer's policies) is an error that names it. After an error some of the plan may be in place; the next run does the rest.
func (p Plan) Provision(ctx context.Context, js jetstream.JetStream) ([]Change, error) {
	var changes []Change
	for _, want := range p.Streams {
		change, err := provisionStream(ctx, js, want)
		if err != nil {
			return changes, fmt.Errorf("provision stream %s: %w", want.Name, err)
		}
		changes = append(changes, change...)
	}
	for _, want := range p.Consumers {
		change, err := p.provisionConsumer(ctx, js, want)
		if err != nil {
			return changes, fmt.Errorf("provision consumer %s: %w", want.Config.Durable, err)
		}
		changes = append(changes, change...)
	}
	return changes, nil
}

// Watch provisions again and again until ctx ends, so that a store that was lost is whole again without a person.
// done is told of every round.
func (p Plan) Watch(ctx context.Context, js jetstream.JetStream, every time.Duration, done func([]Change, error)) {
	for {
		round, cancel := context.WithTimeout(ctx, 30*time.Second)
		changes, err := p.Provision(round, js)
		cancel()
		if ctx.Err() != nil {
			return
		}
		done(changes, err)
		pause(ctx, every)
	}
}

func provisionStream(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig) ([]Change, error) {
	stream, err := js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		_, err := js.CreateStream(ctx, want)
		return []Change{{"stream", want.Name, true}}, err
	}
	if err != nil {
		return nil, err
	}
	if sameStream(stream.CachedInfo().Config, want) {
		return nil, nil
	}
	_, err = js.UpdateStream(ctx, want)
	return []Change{{"stream", want.Name, false}}, err
}

// sameStream compares what the plan decides. The broker writes -1 where the plan has no limit.
func sameStream(have, want jetstream.StreamConfig) bool {
	return have.MaxAge == want.MaxAge && have.MaxBytes == want.MaxBytes && max(have.MaxMsgsPerSubject, 0) == want.MaxMsgsPerSubject &&
		max(have.MaxMsgs, 0) == want.MaxMsgs && have.DiscardNewPerSubject == want.DiscardNewPerSubject && have.NoAck == want.NoAck &&
		have.Replicas == want.Replicas && have.Duplicates == want.Duplicates && have.Discard == want.Discard && have.MaxMsgSize == want.MaxMsgSize &&
		have.Retention == want.Retention && have.Storage == want.Storage && have.AllowDirect == want.AllowDirect &&
		slices.Equal(have.Subjects, want.Subjects) && have.Metadata[configKey] == want.Metadata[configKey]
}

func (p Plan) provisionConsumer(ctx context.Context, js jetstream.JetStream, want PlannedConsumer) ([]Change, error) {
	consumer, err := js.Consumer(ctx, want.Stream, want.Config.Durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return []Change{{"consumer", want.Config.Durable, true}}, p.createConsumer(ctx, js, want)
	}
	if err != nil {
		return nil, err
	}
	if sameConsumer(consumer.CachedInfo().Config, want.Config) {
		return nil, nil
	}
	_, err = js.UpdateConsumer(ctx, want.Stream, want.Config)
	return []Change{{"consumer", want.Config.Durable, false}}, err
}

// sameConsumer compares what the plan decides, the immutable too: what is wrong there the broker refuses to update, and says so.
func sameConsumer(have, want jetstream.ConsumerConfig) bool {
	return have.FilterSubject == want.FilterSubject && slices.Equal(have.FilterSubjects, want.FilterSubjects) &&
		have.AckWait == want.AckWait && slices.Equal(have.BackOff, want.BackOff) && have.MaxDeliver == want.MaxDeliver &&
		have.MaxAckPending == want.MaxAckPending && have.MaxWaiting == want.MaxWaiting &&
		have.MaxRequestBatch == want.MaxRequestBatch && have.MaxRequestExpires == want.MaxRequestExpires && max(have.MaxRequestMaxBytes, 0) == want.MaxRequestMaxBytes &&
		have.AckPolicy == want.AckPolicy && have.DeliverPolicy == want.DeliverPolicy && have.ReplayPolicy == want.ReplayPolicy &&
		have.InactiveThreshold == want.InactiveThreshold && have.HeadersOnly == want.HeadersOnly && have.Metadata[configKey] == want.Metadata[configKey]
}

// createConsumer makes a consumer that is missing and moves it past old history. A crash between the two leaves it at the
// beginning: the services then see what they have seen before, which is slow and harmless.
func (p Plan) createConsumer(ctx context.Context, js jetstream.JetStream, want PlannedConsumer) error {
	start, err := p.startOf(ctx, js, want)
	if err != nil {
		return fmt.Errorf("find where recent history starts: %w", err)
	}
	if _, err := js.CreateConsumer(ctx, want.Stream, want.Config); err != nil || start == 0 {
		return err
	}
	if _, err = js.ResetConsumerToSequence(ctx, want.Stream, want.Config.Durable, start); err != nil {
		return fmt.Errorf("start at sequence %d: %w", start, err)
	}
	return nil
}

// startOf is the sequence where recent history starts, 0 when all of it is recent. Age is judged by the broker's own clock. The
// broker finds the place for a consumer that nobody reads and that vanishes: reading a message takes permissions that a
// provisioner does not have.
func (p Plan) startOf(ctx context.Context, js jetstream.JetStream, want PlannedConsumer) (uint64, error) {
	stream, err := js.Stream(ctx, want.Stream)
	if err != nil {
		return 0, err
	}
	info := stream.CachedInfo()
	since := info.TimeStamp.Add(-p.Recent)
	if info.State.Msgs == 0 || !info.State.FirstTime.Before(since) {
		return 0, nil
	}
	probe, err := js.CreateConsumer(ctx, want.Stream, jetstream.ConsumerConfig{FilterSubject: want.Config.FilterSubject,
		AckPolicy: jetstream.AckExplicitPolicy, DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &since,
		InactiveThreshold: 5 * time.Second, Replicas: 1})
	if err != nil {
		return 0, err
	}
	return probe.CachedInfo().Delivered.Stream + 1, nil
}
