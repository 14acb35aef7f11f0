package fetcherevm

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/secret"
)

// transport carries JSON-RPC bodies to one endpoint over HTTP. What it sends are reads, so all of it may be sent again.
// Its failures never hold the URL, which net/http writes into every error. It may be used concurrently.
type transport struct {
	client  *http.Client
	url     secret.Text
	headers map[string]secret.Text
	timeout time.Duration
	// resent counts what was sent twice.
	resent func()
}

// newTransport keeps up to conns connections alive.
func newTransport(e chain.Endpoint, timeout time.Duration, conns int, resent func()) *transport {
	return &transport{url: e.URL, headers: e.Headers, timeout: timeout, resent: resent, client: &http.Client{
		// A redirect could take the key to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    5 * time.Second,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    conns,
			IdleConnTimeout:        time.Minute,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}}
}

// post sends a body and gives the body of the answer, once its status is 200. An answer above most bytes is not read.
func (t *transport) post(ctx context.Context, body []byte, most int64) ([]byte, *failure) {
	timed, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	response, err := t.send(timed, body)
	if err != nil {
		return nil, t.failure(ctx, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, most+1))
	if int64(len(answer)) > most {
		return nil, &failure{class: overlong, text: fmt.Sprintf("an answer above %d bytes", most)}
	}
	if response.StatusCode != http.StatusOK {
		return nil, refusal(response, answer)
	}
	if err != nil {
		return nil, t.failure(ctx, err)
	}
	return answer, nil
}

// send does one request, and once more if a connection that had been kept alive turned out to be dead: a node may close it
// at any time, and net/http does not repeat a POST. The second try takes a new connection.
func (t *transport) send(ctx context.Context, body []byte) (*http.Response, error) {
	for first := true; ; first = false {
		var reused atomic.Bool
		trace := &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { reused.Store(c.Reused) }}
		request, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodPost, t.url.Reveal(), bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", "application/json")
		for key, value := range t.headers {
			request.Header.Set(key, value.Reveal())
		}
		response, err := t.client.Do(request)
		if err == nil || !first || !reused.Load() || !cut(err) {
			return response, err
		}
		t.resent()
		t.client.CloseIdleConnections()
	}
}

// cut reports whether the peer closed the connection instead of answering.
func cut(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		strings.Contains(err.Error(), "server closed idle connection")
}

// failure names what went wrong below HTTP, without the URL. ctx is the caller's, whose end is not the node's fault.
func (t *transport) failure(ctx context.Context, err error) *failure {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		err = withURL.Err
	}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return &failure{class: stopped, text: "the read was given up"}
	case errors.Is(err, context.DeadlineExceeded):
		return &failure{class: slow, text: fmt.Sprintf("no answer within %v", t.timeout)}
	}
	return &failure{class: down, text: err.Error()}
}

// refusal names what an answer with another status than 200 means.
func refusal(response *http.Response, body []byte) *failure {
	code, message := errorOf(body)
	return &failure{class: classify(response.StatusCode, code, message), said: code != 0, text: strings.TrimSpace("HTTP " + response.Status + " " + message),
		pause: retryAfter(response.Header.Get("Retry-After"), time.Now())}
}

// retryAfter reads the header of the same name: seconds, or a date. 0 means that it says nothing.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}
