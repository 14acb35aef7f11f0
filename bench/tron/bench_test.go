package tron

import (
	"bytes"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/fetch"
)

// TestMain lets the test's own program be the serving process, as the bench's is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == serveCommand {
		os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func TestEveryWayReadsWhatSingleCallsRead(t *testing.T) {
	for _, tt := range []struct {
		args  []string
		lines int
	}{
		{[]string{"--claim", "20,130", "--rtt", "0s,1ms"}, 2 * 2},
		{[]string{"--claim", "130", "--rtt", "0s", "--wall-clock"}, 1},
	} {
		var out, notes bytes.Buffer
		if code := Main(append([]string{"--rows", "130", "--rps", "5000", "--budget-for", "1ms"}, tt.args...), &out, &notes); code != 0 {
			t.Fatalf("exit %d: %s%s", code, out.String(), notes.String())
		}
		for _, w := range ways {
			want := len(works) * tt.lines
			if w == single || w == scanner {
				want += len(works) // at a budget
			}
			if got := strings.Count(out.String(), "  "+w.name+" "); got != want {
				t.Errorf("%d lines for %s, want %d:\n%s", got, w.name, want, out.String())
			}
		}
	}
}

func TestAWrongValueOrHeightIsCounted(t *testing.T) {
	at := func(raw string, height int64) fetch.Outcome {
		return fetch.Outcome{Raw: raw, Proof: &fetch.Proof{Height: height}}
	}
	truth := []fetch.Outcome{at("1", 7), at("2", 7), at("3", 7)}
	for _, tt := range []struct {
		got  []fetch.Outcome
		want int
	}{{truth, 0}, {truth[:2], 0}, {[]fetch.Outcome{at("1", 7), at("3", 7)}, 1}, {[]fetch.Outcome{at("1", 8), at("2", 7), at("0", 7)}, 2}} {
		if n := differ(truth, tt.got); n != tt.want {
			t.Errorf("%d, want %d", n, tt.want)
		}
	}
}

func TestALinkPassesEverythingOnAndCountsIt(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	echoed := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			_, err = io.Copy(conn, conn)
			conn.Close()
		}
		echoed <- err
	}()
	l, err := openLink(listener.Addr().String(), 2*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(l.url(), "grpc://"))
	if err != nil {
		t.Fatal(err)
	}
	sent := bytes.Repeat([]byte("balance"), 50_000)
	written := make(chan error, 1)
	go func() {
		_, err := conn.Write(sent)
		written <- err
	}()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes came back otherwise: %v", len(sent), err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
	if up, down := l.up.Load(), l.down.Load(); up != int64(len(sent)) || down != up {
		t.Errorf("%d bytes up and %d down, want %d", up, down, len(sent))
	}
	if err := l.close(); err != nil {
		t.Error(err)
	}
	<-echoed // the line was cut, whatever that is to the other end
	if _, err := conn.Read(got); err == nil {
		t.Error("the line is still open")
	}
	conn.Close()
}

func TestBadArgumentsAreRefused(t *testing.T) {
	for _, args := range [][]string{{"--rows", "0"}, {"--claim", "0"}, {"--rtt", "-1s"}, {"--work", "trc10"}, {"--rps", "0"}, {"--budget-for", "-1s"}, {"--no-such"}} {
		var out, notes bytes.Buffer
		if code := Main(args, &out, &notes); code != 3 || notes.Len() == 0 {
			t.Errorf("%v: exit %d: %s", args, code, notes.String())
		}
	}
}
