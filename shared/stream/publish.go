package stream

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// attemptTimeout bounds one try; a leader election takes several.
const attemptTimeout = 2 * time.Second

// ErrRefused marks a publish that can never succeed: too large, or bound for another stream than the subject's.
var ErrRefused = errors.New("refused")

// ErrFull marks a publish that the stream refused because it is full and keeps what it has. The message was not stored;
// it can be once there is room, which is for the caller to wait for or not.
var ErrFull = errors.New("the stream is full")

// Codes of the server's errors.json that are an answer, so that trying again at once is of no use.
const (
	codeTooLarge    = 10054 // message size exceeds maximum allowed
	codeWrongStream = 10060 // expected stream does not match
	codeFull        = 10077 // maximum messages or bytes exceeded
)

// Publish stores msg in the given stream and returns when the broker has confirmed it. It tries again, with the same
// Msg-Id, until ctx ends: a try that timed out may have been stored, and the Msg-Id keeps it from being stored twice.
// So after an error the outcome is unknown, unless it wraps [ErrRefused] or [ErrFull]: those come at once and the message is not
// stored. It may be called concurrently, with a message each: it sets headers of msg.
func (c *Conn) Publish(ctx context.Context, stream, id string, msg *nats.Msg) error {
	wait := 100 * time.Millisecond
	for {
		err := c.publishOnce(ctx, stream, id, msg)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, ErrRefused), errors.Is(err, ErrFull):
			return fmt.Errorf("publish to %s: %w", msg.Subject, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("publish to %s: %w", msg.Subject, c.explain(ended(ctx, err)))
		case <-time.After(wait/2 + rand.N(wait)):
			wait = min(2*wait, 2*time.Second)
		}
	}
}

func (c *Conn) publishOnce(ctx context.Context, stream, id string, msg *nats.Msg) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	_, err := c.JS.PublishMsg(ctx, msg, jetstream.WithMsgID(id), jetstream.WithExpectStream(stream))
	api, answered := errors.AsType[*jetstream.APIError](err)
	switch {
	case errors.Is(err, nats.ErrMaxPayload), answered && (api.ErrorCode == codeTooLarge || api.ErrorCode == codeWrongStream):
		return fmt.Errorf("%w: %w", ErrRefused, err)
	case answered && api.ErrorCode == codeFull:
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

// ended makes sure that the error of a wait that ctx ended says so.
func ended(ctx context.Context, err error) error {
	if errors.Is(err, ctx.Err()) {
		return err
	}
	return fmt.Errorf("%w: %w", ctx.Err(), err)
}
