package stream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// letterDelay is how long a message waits when its dead letter could not be stored: the stream refuses when it is full,
// rather than forget evidence, and an operator has to make room.
const letterDelay = 30 * time.Second

// DeadLetter moves a message to the dead letters for good: it stores a copy, then terminates the message. A crash between
// the two stores the copy again, under the same Msg-Id. When the copy cannot be stored the message is delivered
// again later, and the error says why.
func (c *Conn) DeadLetter(ctx context.Context, msg jetstream.Msg, reason string) error {
	if err := c.CopyToDeadLetters(ctx, msg, msg.Data(), reason, ""); err != nil {
		_ = msg.NakWithDelay(c.letterDelay) // if this is lost too, AckWait brings it back
		return err
	}
	if err := msg.TermWithReason(reason); err != nil {
		return fmt.Errorf("terminate a dead letter: %w", err)
	}
	return nil
}

// CopyToDeadLetters stores data, the message's own or a part of it, as a dead letter of msg, and leaves the message to its
// handler. part tells several letters of one message apart. Data that does not fit beside the headers is left out: the letter then
// says where the message itself is.
func (c *Conn) CopyToDeadLetters(ctx context.Context, msg jetstream.Msg, data []byte, reason, part string) error {
	meta, err := msg.Metadata()
	if err != nil {
		return fmt.Errorf("read the message's metadata: %w", err)
	}
	letter := &nats.Msg{Subject: wire.DeadLetterSubject(msg.Subject()), Header: letterHeaders(msg, meta, reason), Data: data}
	id := letterID(meta, part)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	err = c.Publish(ctx, DeadLetters, id, letter)
	if errors.Is(err, ErrRefused) && len(data) > 0 {
		letter.Data = nil
		letter.Header.Set(wire.HeaderReason, wire.CleanError("too large to copy: "+reason))
		err = c.Publish(ctx, DeadLetters, id, letter)
	}
	if err != nil {
		return fmt.Errorf("store a dead letter: %w", err)
	}
	return nil
}

// letterID is the same for every delivery of a message. Sequences begin anew when a stream was lost, so the time is part of it.
func letterID(meta *jetstream.MsgMetadata, part string) string {
	id := fmt.Sprintf("%s:%d:%d", meta.Stream, meta.Sequence.Stream, meta.Timestamp.UnixNano())
	if part != "" {
		id += ":" + part
	}
	return id
}

// letterHeaders are the message's own headers, but for those that the broker obeys, and what a letter says of its origin.
func letterHeaders(msg jetstream.Msg, meta *jetstream.MsgMetadata, reason string) nats.Header {
	header := nats.Header{}
	maps.Copy(header, msg.Headers())
	maps.DeleteFunc(header, func(key string, _ []string) bool { return strings.HasPrefix(key, "Nats-") })
	header.Set(wire.HeaderMsgID, msg.Headers().Get(nats.MsgIdHdr))
	header.Set(wire.HeaderReason, wire.CleanError(reason))
	header.Set(wire.HeaderSubject, msg.Subject())
	header.Set(wire.HeaderStream, meta.Stream)
	header.Set(wire.HeaderSequence, strconv.FormatUint(meta.Sequence.Stream, 10))
	header.Set(wire.HeaderDeliveries, strconv.FormatUint(meta.NumDelivered, 10))
	return header
}
