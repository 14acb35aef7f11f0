package fetcherevm

import (
	"bufio"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/secret"
)

// hangUp is a server that closes each connection without an answer after it has answered ok requests on it.
func hangUp(t *testing.T, answers int) (url string, requests *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	requests = &atomic.Int32{}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				reader := bufio.NewReader(conn)
				for i := 0; ; i++ {
					request, err := http.ReadRequest(reader)
					if err != nil {
						return
					}
					requests.Add(1)
					if i >= answers {
						return
					}
					if _, err := reader.Discard(int(request.ContentLength)); err != nil {
						return
					}
					_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"))
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String(), requests
}

func TestADeadKeptAliveConnectionIsTriedAgainOnce(t *testing.T) {
	url, requests := hangUp(t, 1)
	var resent atomic.Int32
	tr := newTransport(chain.Endpoint{URL: secret.New(url)}, 2*time.Second, 4, func() { resent.Add(1) })
	for i := range 3 { // each but the first finds a connection that the server is about to close
		if _, f := tr.post(t.Context(), []byte("{}"), 1<<20); f != nil {
			t.Fatalf("request %d: %v", i, f)
		}
	}
	if resent.Load() != 2 || requests.Load() != 5 {
		t.Errorf("%d sent again, %d requests; want 2 and 5", resent.Load(), requests.Load())
	}
}

func TestANewConnectionThatDiesIsNotTriedAgain(t *testing.T) {
	url, requests := hangUp(t, 0)
	tr := newTransport(chain.Endpoint{URL: secret.New(url)}, 2*time.Second, 4, func() { t.Error("sent again") })
	if _, f := tr.post(t.Context(), []byte("{}"), 1<<20); f == nil || f.class != down {
		t.Errorf("%v", f)
	}
	if requests.Load() != 1 {
		t.Errorf("%d requests", requests.Load())
	}
}
