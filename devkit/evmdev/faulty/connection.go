package faulty

import (
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// HangUp closes a connection that was kept alive at its second request, without an answer. A new connection is served.
func HangUp() *Fault {
	f := &Fault{}
	f.serve = func(_ *exchange, _ http.ResponseWriter, r *http.Request) bool {
		if n, ok := r.Context().Value(served{}).(*atomic.Int64); !ok || n.Load() < 2 {
			return false
		}
		f.hits.Add(1)
		panic(http.ErrAbortHandler)
	}
	return f
}

// Refuse closes every connection without an answer.
func Refuse() *Fault {
	f := &Fault{}
	f.serve = func(*exchange, http.ResponseWriter, *http.Request) bool {
		f.hits.Add(1)
		panic(http.ErrAbortHandler)
	}
	return f
}

// Silence takes requests and never answers, until the client gives up.
func Silence() *Fault {
	f := &Fault{}
	f.serve = func(_ *exchange, _ http.ResponseWriter, r *http.Request) bool {
		f.hits.Add(1)
		<-r.Context().Done()
		return true
	}
	return f
}

// SlowLoris sends the node's answer one byte at a time, with every between them, until the client gives up.
func SlowLoris(every time.Duration) *Fault {
	f := &Fault{}
	f.send = func(w http.ResponseWriter, r *http.Request, body []byte) {
		f.hits.Add(1)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for i := range body {
			if _, err := w.Write(body[i : i+1]); err != nil {
				return
			}
			if flusher, ok := w.(http.Flusher); ok {
				flusher.Flush()
			}
			select {
			case <-r.Context().Done():
				return
			case <-tick.C:
			}
		}
	}
	return f
}

// Flood answers with a JSON array of size bytes, which is made on the way and never in memory.
func Flood(size int64) *Fault {
	f := &Fault{}
	f.serve = func(_ *exchange, w http.ResponseWriter, r *http.Request) bool {
		f.hits.Add(1)
		chunk := []byte(strings.Repeat(`{"jsonrpc":"2.0","id":1,"result":"0x7"},`, 1600))
		if _, err := w.Write([]byte("[")); err != nil {
			return true
		}
		for sent := int64(1); sent < size && r.Context().Err() == nil; {
			n, err := w.Write(chunk)
			if err != nil {
				return true
			}
			sent += int64(n)
		}
		return true
	}
	return f
}
