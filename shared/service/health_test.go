package service

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

func newProcess(log io.Writer) Process {
	return Process{Version: "v1", Instance: "i", Log: zerolog.New(log), Metrics: prometheus.NewRegistry(), Health: NewHealth(), Scrub: secret.NewScrubber()}
}

func TestReadinessWaitsForEveryDependencyAndDrainsForGood(t *testing.T) {
	p := newProcess(io.Discard).As("writer")
	p.Expect("postgres", "nats")
	is := func(want bool, reason string) {
		t.Helper()
		ready, states := p.Health.Ready()
		if ready != want || !strings.Contains(states["writer.postgres"]+states["process"], reason) {
			t.Errorf("ready %t: %v, want %t because of %q", ready, states, want, reason)
		}
	}
	is(false, "not checked yet")
	p.Report("postgres", nil)
	p.Report("nats", nil)
	is(true, "ok")
	p.Report("postgres", errors.New("it is down"))
	is(false, "it is down")
	p.Report("postgres", nil)
	p.Health.Drain()
	is(false, "draining")
}

func TestALossAndAReturnAreLoggedOnceEach(t *testing.T) {
	var log bytes.Buffer
	p := newProcess(&log).As("writer")
	p.Expect("nats")
	p.Report("nats", nil) // as expected: not worth a line
	for range 5 {
		p.Report("nats", errors.New("gone"))
	}
	for range 5 {
		p.Report("nats", nil)
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "gone") || !strings.Contains(lines[1], "again") || !strings.Contains(lines[0], `"service":"writer"`) {
		t.Errorf("%s", log.String())
	}
	log.Reset()
	p.Report("postgres", errors.New("never there"))
	if !strings.Contains(log.String(), "never there") {
		t.Errorf("a dependency that is not there at the start: %q", log.String())
	}
}

func TestTheAdminListenerShowsHealthMetricsAndVersion(t *testing.T) {
	p := newProcess(io.Discard)
	registry := prometheus.NewRegistry()
	p.Metrics = registry
	for _, name := range []string{"claimer", "writer"} { // of the same name in two services
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: "balsync_things_total", Help: "Things."})
		if err := p.As(name).Metrics.Register(c); err != nil {
			t.Fatal(err)
		}
		c.Inc()
	}
	const key = "CANARY0123456789"
	admin, err := ListenAdmin("127.0.0.1:0", p.Health, registry, secret.NewScrubber(secret.New(key)), map[string]string{"service": "x", "version": "v1"})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- admin.Serve(t.Context()) }()
	get := func(path string) (int, string) {
		response, err := http.Get("http://" + admin.Addr() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	if code, body := get("/livez"); code != 200 || body != "ok\n" {
		t.Errorf("/livez: %d %s", code, body)
	}
	if code, _ := get("/readyz"); code != 200 {
		t.Errorf("/readyz: %d", code)
	}
	p.As("writer").Report("nodes", errors.New("dial https://h/"+key))
	code, body := get("/readyz")
	var answer struct {
		Ready  bool
		Checks map[string]string
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || code != 503 || answer.Ready || !strings.Contains(answer.Checks["writer.nodes"], "dial https://h/***") {
		t.Errorf("/readyz: %d %s (%v)", code, body, err)
	}
	if code, body := get("/metrics"); code != 200 || !strings.Contains(body, `balsync_things_total{service="claimer"} 1`) || !strings.Contains(body, `{service="writer"} 1`) {
		t.Errorf("/metrics: %d %s", code, body)
	}
	if code, body := get("/version"); code != 200 || !strings.Contains(body, `"version":"v1"`) {
		t.Errorf("/version: %d %s", code, body)
	}
	if code, _ := get("/debug/pprof/cmdline"); code != 404 {
		t.Errorf("pprof answers %d", code)
	}
	if _, err := ListenAdmin(admin.Addr(), p.Health, registry, nil, nil); err == nil || !strings.Contains(err.Error(), "BALSYNC_ADMIN_ADDR") {
		t.Errorf("a taken port: %v", err)
	}
}

func TestWorkInHandOutlivesTheStopByTheGracePeriodAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := newContext(t)
		work, done := Grace(ctx)
		stop()
		<-time.After(GracePeriod - time.Second)
		synctest.Wait()
		if work.Err() != nil {
			t.Error("ended before its time")
		}
		<-time.After(2 * time.Second)
		synctest.Wait()
		if work.Err() == nil {
			t.Error("goes on for ever")
		}
		done()
		ctx, stop = newContext(t)
		defer stop()
		work, done = Grace(ctx)
		done()
		if work.Err() == nil {
			t.Error("work that is done goes on")
		}
	})
}

func TestTheLoggerScrubsEveryLine(t *testing.T) {
	const key = "CANARY0123456789"
	for _, format := range []string{"json", "console"} {
		var out bytes.Buffer
		log := NewLogger(&out, "info", format, secret.NewScrubber(secret.New(key)))
		log.Info().Str("url", "https://h/"+key).Err(errors.New("x " + key)).Msg("hello")
		log.Debug().Msg("not shown")
		if text := out.String(); strings.Contains(text, key) || !strings.Contains(text, "hello") || strings.Contains(text, "not shown") {
			t.Errorf("%s: %s", format, text)
		}
	}
}
