package claimer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
)

const (
	// tryFor is after how long a message is made anew, because it says how much of the lease is left.
	tryFor = 2 * time.Second
	// hurry is how long publishing may go on when the process was asked to stop; the rest of [service.GracePeriod] is for the release.
	hurry = 5 * time.Second
	// releaseFor bounds a release, all its tries together.
	releaseFor = 8 * time.Second
)

// errLeaseOver ends the tries to publish a claim whose lease is.
var errLeaseOver = errors.New("the lease is over")

// deliver publishes a claim, or gives its rows back. It returns once the broker has the claim, or with the reason why not. ctx asks
// for haste when it ends; work bounds the work itself. A crash in here costs the rows one lease: they are leased, and nobody knows.
func (l *lane) deliver(ctx, work context.Context, c *Claimed) error {
	err := l.publish(ctx, work, c)
	if err == nil {
		l.metrics.claims.WithLabelValues(l.chain.Name, string(l.name), "published").Inc()
		return nil
	}
	// It may have been stored all the same, when only the answers were lost. Then it is read for nothing: the release took the
	// rows from this claim, and the fence keeps its results from whoever holds them next.
	released, releaseErr := l.release(work, c)
	l.metrics.released.WithLabelValues(l.chain.Name, string(l.name)).Add(float64(released))
	outcome := "released"
	if releaseErr != nil {
		outcome = "lost" // until the leases lapse
	}
	l.metrics.claims.WithLabelValues(l.chain.Name, string(l.name), outcome).Inc()
	return errors.Join(err, releaseErr)
}

// publish tries for [Config.Patience], always under the claim's name as Msg-Id: a try whose answer was lost is not stored twice.
func (l *lane) publish(ctx, work context.Context, c *Claimed) error {
	parcel, err := newParcel(c, l.chain, l.name, l.process.Producer())
	if err != nil {
		return err
	}
	began := time.Now()
	defer func() { l.metrics.publishTook.WithLabelValues(l.chain.Name).Observe(time.Since(began).Seconds()) }()
	tries, cancel := context.WithTimeout(work, l.config.Patience)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(hurry, cancel) })()
	for {
		msg, ok := parcel.at(time.Now())
		if !ok {
			return fmt.Errorf("publish claim %s: %w", c.Name, errors.Join(errLeaseOver, err))
		}
		try, done := context.WithTimeout(tries, tryFor)
		err = l.conn.Publish(try, stream.Claims, c.Name, msg)
		done()
		switch {
		case err == nil:
			return nil
		// A full stream is not waited for: leases are not to be held while somebody makes room.
		case errors.Is(err, stream.ErrRefused), errors.Is(err, stream.ErrFull), tries.Err() != nil:
			return fmt.Errorf("publish claim %s: %w", c.Name, err)
		}
	}
}

// release gives back what is still the claim's. A database that does not answer is tried again; what stays leased lapses.
func (l *lane) release(work context.Context, c *Claimed) (int64, error) {
	ctx, cancel := context.WithTimeout(work, releaseFor)
	defer cancel()
	priority := int16(0)
	if l.name == wire.Fast {
		priority = 1
	}
	for {
		n, err := l.store.Release(ctx, c.Name, c.IDs(), priority)
		if err == nil {
			return n, nil
		}
		if !pause(ctx, time.Second) {
			return 0, err
		}
	}
}
