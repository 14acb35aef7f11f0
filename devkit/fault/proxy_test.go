package fault_test

import (
	"bufio"
	"net"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/fault"
)

// echo answers every line with itself, and tells heard what it was.
func echo(t *testing.T, heard chan<- string) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for lines := bufio.NewReader(conn); ; {
					line, err := lines.ReadString('\n')
					if err != nil {
						return
					}
					heard <- line
					if _, err := conn.Write([]byte(line)); err != nil {
						return
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func say(t *testing.T, conn net.Conn, line string) {
	t.Helper()
	if _, err := conn.Write([]byte(line)); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, conn net.Conn, want string) {
	t.Helper()
	if got, err := bufio.NewReader(conn).ReadString('\n'); err != nil || got != want {
		t.Fatalf("answer %q, %v; want %q", got, err, want)
	}
}

func TestDeafClientsReachTheServerAndHearNothing(t *testing.T) {
	heard := make(chan string, 2)
	proxy := fault.NewProxy(t, echo(t, heard))
	conn := dial(t, proxy.Addr())
	say(t, conn, "first\n")
	hear(t, conn, "first\n")

	proxy.Deafen()
	say(t, conn, "second\n")
	if first, second := <-heard, <-heard; first != "first\n" || second != "second\n" {
		t.Fatalf("the server heard %q and %q", first, second)
	}
	proxy.Cut()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the answer came through")
	}
}

func TestAfterACutNewConnectionsWork(t *testing.T) {
	heard := make(chan string, 1)
	proxy := fault.NewProxy(t, echo(t, heard))
	old := dial(t, proxy.Addr())
	proxy.Deafen()
	say(t, old, "x\n") // the link is up when this was heard
	<-heard
	proxy.Cut()
	conn := dial(t, proxy.Addr())
	say(t, conn, "again\n")
	hear(t, conn, "again\n")
}

func TestAServerThatIsGoneClosesTheClientsConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	proxy := fault.NewProxy(t, listener.Addr().String())
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := dial(t, proxy.Addr()).Read(make([]byte, 1)); err == nil {
		t.Error("no error")
	}
}
