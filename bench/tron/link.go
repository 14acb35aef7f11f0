package tron

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// chunk is the most that is passed on at once.
const chunk = 32 << 10

// link is a line to a node: it passes on whatever comes, each way after half a round trip's time, and counts it. What is on its way
// does not hold up what comes after it, as on a real line.
type link struct {
	node string
	half time.Duration

	up, down atomic.Int64 // bytes
	listener net.Listener
	stop     context.CancelFunc
	running  sync.WaitGroup
	failed   error // why it took no more connections; read after running
}

// openLink listens on a free port of the loopback interface.
func openLink(node string, trip time.Duration) (*link, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	l := &link{node: node, half: trip / 2, listener: listener, stop: stop}
	l.running.Go(func() { l.failed = l.accept(ctx) })
	return l, nil
}

// url is where it listens.
func (l *link) url() string { return "grpc://" + l.listener.Addr().String() }

func (l *link) accept(ctx context.Context) error {
	for {
		client, err := l.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept: %w", err)
		}
		l.running.Go(func() { l.pass(ctx, client) })
	}
}

// pass serves one connection until either end closes it. What fails the line, its ends see by themselves.
func (l *link) pass(ctx context.Context, client net.Conn) {
	defer client.Close()
	node, err := net.Dial("tcp", l.node)
	if err != nil {
		return
	}
	defer node.Close()
	ctx, cut := context.WithCancel(ctx)
	defer cut()
	context.AfterFunc(ctx, func() {
		_ = client.Close()
		_ = node.Close()
	})
	var ways sync.WaitGroup
	ways.Go(func() {
		defer cut()
		l.carry(ctx, node, client, &l.up)
	})
	ways.Go(func() {
		defer cut()
		l.carry(ctx, client, node, &l.down)
	})
	ways.Wait()
}

// parcel is what came at once, and when it is to arrive.
type parcel struct {
	data []byte
	due  time.Time
}

// carry passes one direction on until it ends or ctx does.
func (l *link) carry(ctx context.Context, to io.Writer, from io.Reader, count *atomic.Int64) {
	underWay := make(chan parcel, 4096)
	var sender sync.WaitGroup
	sender.Go(func() {
		for p := range underWay {
			select {
			case <-ctx.Done():
				continue // the rest is lost with the connection
			case <-time.After(time.Until(p.due)):
			}
			_, _ = to.Write(p.data) // one that fails is the other end's closing, at which the reading ends
		}
	})
	buffer := make([]byte, chunk)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			count.Add(int64(n))
			underWay <- parcel{append([]byte(nil), buffer[:n]...), time.Now().Add(l.half)}
		}
		if err != nil {
			break
		}
	}
	close(underWay)
	sender.Wait()
}

// close cuts the connections.
func (l *link) close() error {
	l.stop()
	err := l.listener.Close()
	l.running.Wait()
	return errors.Join(err, l.failed)
}
