package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/evmdev"
	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/balance-sync/balance-sync/services/claimer"
	fetcherevm "github.com/balance-sync/balance-sync/services/fetcher-evm"
	"github.com/balance-sync/balance-sync/services/writer"
	"github.com/balance-sync/balance-sync/shared/schema"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
)

// The secrets of the run, one for each place in which a configuration may hold one.
const (
	canaryPassword = "CANARY-password-0000" // of every user of the database and the broker
	canaryUser     = "CANARY-userinfo-1111"
	canaryPath     = "CANARY-path-key-2222"
	canaryQuery    = "CANARY-query-key-333"
	canaryHeader   = "CANARY-header-444444"
	canaryBearer   = "CANARY-bearer-555555"
)

// leaks are all forms in which one of them may be written.
func leaks() []string {
	list := []string{"CANARY"}
	for _, c := range []string{"bob:" + canaryUser, canaryBearer, canaryHeader, canaryPath} {
		list = append(list, strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(c)), "="), fmt.Sprintf("%x", c))
	}
	return list
}

// echo is what a node that quotes all that it was sent says.
func echo(r *http.Request) string {
	user, password, _ := r.BasicAuth()
	return fmt.Sprintf("%s %s %s %v %s:%s %s", r.URL, r.URL.Path, r.URL.RawQuery, r.Header, user, password, canaryBearer)
}

// hostile answers by the first part of the path, each in another wrong way, and with all that it was sent.
func hostile(w http.ResponseWriter, r *http.Request) {
	failed := func(code int, text string) string {
		message, _ := json.Marshal(text) // a string
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"error":{"code":%d,"message":%s}}`, code, message)
	}
	switch strings.Split(r.URL.Path, "/")[1] {
	case "unauthorized":
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, failed(-32016, "invalid key "+echo(r)))
	case "limited":
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, failed(-32005, echo(r)))
	case "broken":
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprint(w, "<html>", echo(r), "</html>")
	case "says":
		fmt.Fprint(w, failed(-32000, "no project for "+echo(r)))
	case "html":
		fmt.Fprint(w, "<html>", echo(r), "</html>")
	case "moved":
		http.Redirect(w, r, "/unauthorized"+r.URL.String(), http.StatusFound)
	case "cut":
		panic(http.ErrAbortHandler)
	case "half":
		w.Header().Set("Content-Length", "9999")
		fmt.Fprint(w, `{"jsonrpc":"2.0","id":1,"result":"`+echo(r))
		panic(http.ErrAbortHandler)
	}
}

// reverting passes on to the node, but for calls: those are reverted with all that was sent as the reason.
func reverting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client has gone
		}
		reason := echo(r)
		recorder := httptest.NewRecorder()
		forward := r.Clone(r.Context())
		forward.Header.Del("Accept-Encoding") // its answer is read here
		forward.Body, forward.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		next.ServeHTTP(recorder, forward)
		type envelope map[string]any
		calls := map[string]bool{}
		var asked, answered []envelope
		decode := func(data []byte, into *[]envelope) bool {
			if json.Unmarshal(data, into) == nil {
				return true
			}
			var one envelope
			_ = json.Unmarshal(data, &one) // what is neither stays empty
			*into = []envelope{one}
			return false
		}
		decode(body, &asked)
		for _, a := range asked {
			calls[fmt.Sprint(a["id"])] = a["method"] == "eth_call"
		}
		batch := decode(recorder.Body.Bytes(), &answered)
		for _, a := range answered {
			if calls[fmt.Sprint(a["id"])] {
				delete(a, "result")
				a["error"] = map[string]any{"code": 3, "message": "execution reverted: " + reason}
			}
		}
		w.Header().Set("Content-Type", "application/json")
		encoder := json.NewEncoder(w)
		if batch {
			_ = encoder.Encode(answered) // the client has gone if this fails
		} else {
			_ = encoder.Encode(answered[0])
		}
	})
}

// sink collects what leaves one process, as bytes.
type sink struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *sink) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// watched is one service with all that it says: its log with everything in it, and its admin listener.
type watched struct {
	t       *testing.T
	log     sink
	pages   sink // everything that the listener ever answered
	admin   *service.Admin
	process service.Process
}

// watch makes the process that service.Main would make from the environment.
func watch(t *testing.T, name string, env *service.Env) *watched {
	t.Helper()
	w := &watched{t: t}
	scrub := secret.NewScrubber(env.Secrets()...)
	registry := prometheus.NewRegistry()
	w.process = service.Process{Version: "test", Instance: env.Instance(), Log: service.NewLogger(&w.log, "debug", "json", scrub), Metrics: registry,
		Health: service.NewHealth(), Scrub: scrub}.As(name)
	start := w.process.Log.Info()
	for _, setting := range env.Settings() {
		start = start.Str(setting.Key, setting.Value)
	}
	start.Msg("starting")
	var err error
	if w.admin, err = service.ListenAdmin("127.0.0.1:0", w.process.Health, registry, scrub, map[string]string{"service": name}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- w.admin.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return w
}

// look asks every page once and gives what /readyz says.
func (w *watched) look() (ready string) {
	w.t.Helper()
	for _, path := range []string{"/metrics", "/version", "/livez", "/debug/pprof/cmdline", "/debug/vars", "/readyz"} {
		response, err := http.Get("http://" + w.admin.Addr() + path)
		if err != nil {
			w.t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close() // it was read
		if err != nil {
			w.t.Fatal(err)
		}
		ready = string(body)
		fmt.Fprintf(&w.pages, "%s: %s\n", path, body)
	}
	return ready
}

func (w *watched) says(what string, texts ...string) {
	w.t.Helper()
	ready := ""
	defer func() {
		if w.t.Failed() {
			w.t.Log(ready)
		}
	}()
	wait.For(w.t, 40*time.Second, w.process.Name+": "+what, func() bool {
		ready = w.look()
		for _, text := range texts {
			if !strings.Contains(ready, text) {
				return false
			}
		}
		return true
	})
}

// Nodes that quote all that they were sent, a database and a broker that refuse, and messages that cannot be read: whatever goes wrong, no
// secret comes to be in a log, a metric, a page, a row or a message.
func TestNoSecretLeavesTheStackByAnyErrorPath(t *testing.T) {
	t.Parallel() // it waits more than it works
	s := canaryStack(t)
	ctx, stop := context.WithCancel(t.Context())
	lookup := s.canaryEnvironment(t)
	start := func(name, user, role string, load func(*service.Env) func(service.Process) error) *watched {
		env, err := s.envAs(lookup, user, role)
		if err != nil {
			t.Fatal(err)
		}
		run := load(env) // first, as in production: the scrubber knows what it has read
		if err := env.Err(); err != nil {
			t.Fatal(err)
		}
		w := watch(t, name, env)
		ended := make(chan error, 1)
		go func() { ended <- run(w.process) }()
		t.Cleanup(func() {
			stop()
			if err := <-ended; err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
		return w
	}
	claims := start("claimer", stream.Claimer, schema.Claimer, func(env *service.Env) func(service.Process) error {
		config := claimer.Load(env)
		return func(p service.Process) error { return claimer.Run(ctx, config, p) }
	})
	fetches := start("fetcher-evm", stream.Fetcher+"evm", "", func(env *service.Env) func(service.Process) error {
		config := fetcherevm.Load(env)
		return func(p service.Process) error { return fetcherevm.Run(ctx, config, p) }
	})
	writes := start("writer", stream.Writer, schema.Writer, func(env *service.Env) func(service.Process) error {
		config := writer.Load(env)
		return func(p service.Process) error { return writer.Run(ctx, config, p) }
	})
	all := []*watched{claims, fetches, writes}

	// The nodes.
	fetches.says("the chain of bad nodes cannot be read", `"fetcher-evm.nodes.evm-a":"`, "unauthorized: ", "limited: ", "broken: ", "says: ", "html: ", "moved: ", "cut: ", "half: ", "refused: ", "plain: ")
	errorsOf := func(like string) func() bool {
		return func() bool {
			var n int
			if err := s.pool.QueryRow(t.Context(), `SELECT count(*) FROM wallet_balances WHERE last_error LIKE $1`, like).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n > 0
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("rows: %s\nready: %s", s.dump(t), fetches.pages.String()[max(0, len(fetches.pages.String())-3000):])
		}
	})
	wait.For(t, 20*time.Second, "a reverted row quotes its node, cut", errorsOf("%reverted%***%"))
	wait.For(t, 60*time.Second, "a row of the dead chain has an error", errorsOf("unreachable%"))

	// A row that the database refuses with a text that quotes the connection.
	s.exec(t, fmt.Sprintf(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF current_user = '%swriter' AND NEW.last_error IS NULL THEN RAISE EXCEPTION 'peer used %s-writer'; END IF; RETURN NEW; END $$;
		CREATE TRIGGER refuse BEFORE UPDATE ON wallet_balances FOR EACH ROW EXECUTE FUNCTION refuse()`, s.roles, canaryPassword))
	wait.For(t, 60*time.Second, "a row was rejected with the database's words", errorsOf("%peer used %"))

	// A node that stops taking the key.
	s.chains[1].node.(*evmdev.Node).Intercept(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.URL.Path = "/unauthorized" + r.URL.Path
			hostile(w, r)
		})
	})
	fetches.says("the node takes the key no more", "HTTP 401", secret.Mask)

	// Messages that nobody can read.
	s.poison(t)

	// A broker that comes back and no longer knows the passwords, and a database that lets nobody in.
	for _, password := range []string{"another-password-than-before", canaryPassword} {
		s.opt.passwords = passwords{secret.New(password)}
		if err := errors.Join(s.writeUsers(filepath.Join(s.dir, "nats.conf"), s.users()), s.nats.Restart()); err != nil {
			t.Fatal(err)
		}
		if password != canaryPassword {
			for _, w := range all {
				w.says("the broker refuses the password", "uthorization")
			}
		}
	}
	for _, role := range []string{schema.Claimer, schema.Writer} {
		s.exec(t, `ALTER ROLE `+s.roles+role+` NOLOGIN`)
		s.exec(t, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '`+s.roles+role+`'`)
	}
	claims.says("the database refuses the role", "not permitted to log in")
	writes.says("the database refuses the role", "not permitted to log in")
	stop()

	// What left.
	outlets := map[string]string{"database": s.dump(t), "messages": s.messages(t)}
	for _, w := range all {
		w.look()
		outlets["log of "+w.process.Name], outlets["pages of "+w.process.Name] = w.log.String(), w.pages.String()
	}
	for name, text := range outlets {
		for _, form := range leaks() {
			if at := strings.Index(text, form); at >= 0 {
				t.Errorf("%s has %s: …%s…", name, form, text[max(0, at-200):min(len(text), at+100)])
			}
		}
	}
	// Where nothing was cut nothing was tried.
	for _, name := range []string{"database", "messages", "log of fetcher-evm", "pages of fetcher-evm", "log of writer"} {
		if !strings.Contains(outlets[name], secret.Mask) {
			t.Errorf("nothing was ever cut from the %s", name)
		}
	}
	if notes := s.console.err.(*sink).String() + s.console.out.(*sink).String(); strings.Contains(notes, "CANARY") || !strings.Contains(notes, "chain evm-a") {
		t.Errorf("the terminal: %s", notes)
	}
}

// canaryStack is everything but the services, with passwords that must not be seen.
func canaryStack(t *testing.T) *stack {
	t.Helper()
	env := ours(t)
	c := console{lookup: func(name string) (string, bool) { value, ok := env[name]; return value, ok }, out: &sink{}, err: &sink{}}
	opt, _, err := parse([]string{"--wallets", "6"}, c.lookup)
	if err != nil {
		t.Fatal(err)
	}
	opt.passwords = passwords{secret.New(canaryPassword)}
	s, err := newStack(opt, c, secret.NewScrubber(opt.secrets()...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	nats, err := loadAs(s, lookupIn(env), stream.Provisioner, "", func(env *service.Env) stream.Options { return stream.LoadOptions(env, stream.Provisioner) })
	if err != nil {
		t.Fatal(err)
	}
	conn, err := stream.Connect(t.Context(), nats)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	settings := stream.DefaultSettings()
	settings.ClaimBytes, settings.ResultBytes, settings.LetterBytes = 64<<20, 64<<20, 16<<20
	plan, err := stream.NewPlan(s.chainConfigs(), settings)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Provision(t.Context(), conn.JS); err != nil {
		t.Fatal(err)
	}
	return s
}

func lookupIn(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { value, ok := env[name]; return value, ok }
}

// canaryEnvironment writes a chains file in which the first chain has only bad nodes, and the second one that reverts every call.
func (s *stack) canaryEnvironment(t *testing.T) func(string) (string, bool) {
	t.Helper()
	bad := httptest.NewServer(http.HandlerFunc(hostile))
	bad.Config.ErrorLog = nil
	t.Cleanup(bad.Close)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	s.chains[1].node.(*evmdev.Node).Intercept(reverting)
	secretly := func(base, first string) string {
		return strings.Replace(base, "://", "://bob:"+canaryUser+"@", 1) + "/" + first + "/" + canaryPath + "?apikey=" + canaryQuery
	}
	own := map[string]string{"TEST_HEADER": canaryHeader, "REVERTS": secretly(s.chains[1].url, "v1"), "LOG_LEVEL": "debug", "BALSYNC_SYNC_INTERVAL": "1s",
		"BALSYNC_PASS_PACE": "1s", "BALSYNC_CHAIN_POLL": "1s", "BALSYNC_PATIENCE": "1s"}
	var file strings.Builder
	endpoint := func(name, url string) {
		key := "URL_" + strings.ToUpper(name)
		own[key] = url
		fmt.Fprintf(&file, "      - {name: %s, url: \"${%s}\", headers: {x-api-key: \"${TEST_HEADER}\", x-token: \"Bearer ${TEST_BEARER}\"}}\n", name, key)
	}
	fmt.Fprintf(&file, "chains:\n  - name: evm-a\n    family: evm\n    chain_id: %s\n    block_time: 500ms\n    endpoints:\n", s.chains[0].id)
	for _, name := range []string{"unauthorized", "limited", "broken", "says", "html", "moved", "cut", "half"} {
		endpoint(name, secretly(bad.URL, name))
	}
	endpoint("refused", secretly(closed.URL, "x"))
	endpoint("plain", secretly(strings.Replace(bad.URL, "http:", "https:", 1), "says"))
	fmt.Fprintf(&file, "  - name: evm-b\n    family: evm\n    chain_id: %s\n    finality: latest\n    block_time: 500ms\n    endpoints:\n", s.chains[1].id)
	endpoint("reverts", own["REVERTS"])
	path, key := filepath.Join(s.dir, "canary.yaml"), filepath.Join(s.dir, "bearer")
	for name, text := range map[string]string{path: file.String(), key: canaryBearer + "\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	own["BALSYNC_CHAINS"], own["TEST_BEARER_FILE"] = path, key
	return lookupIn(own)
}

// operator is a connection that may publish and read everything.
func (s *stack) operator(t *testing.T) *stream.Conn {
	t.Helper()
	conn, err := stream.Connect(t.Context(), stream.Options{URL: secret.New(s.nats.As(stream.Operator, s.opt.passwords.of(stream.Operator))), Service: stream.Operator})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// poison publishes a claim and a result that cannot be read, and waits until both are dead letters.
func (s *stack) poison(t *testing.T) {
	t.Helper()
	conn := s.operator(t)
	for subject, name := range map[string]string{wire.ClaimSubject("evm", "evm-b", wire.Sweep): stream.Claims, wire.ResultSubject("evm", "evm-b"): stream.Results} {
		if err := conn.Publish(t.Context(), name, "poison", &nats.Msg{Subject: subject, Header: nats.Header{}, Data: []byte("{")}); err != nil {
			t.Fatal(err)
		}
	}
	wait.For(t, 40*time.Second, "both are dead letters", func() bool {
		letters, err := conn.JS.Stream(t.Context(), stream.DeadLetters)
		return err == nil && letters.CachedInfo().State.Msgs >= 2
	})
}

// dump is every row of every table, as text.
func (s *stack) dump(t *testing.T) string {
	t.Helper()
	var text string
	const all = `SELECT string_agg(query_to_xml(format('SELECT t::text FROM %I.%I t', schemaname, tablename), true, false, '')::text, E'\n') FROM pg_tables WHERE schemaname = 'public'`
	if err := s.pool.QueryRow(context.WithoutCancel(t.Context()), all).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return text
}

// messages is every message of every stream: subject, headers and payload.
func (s *stack) messages(t *testing.T) string {
	t.Helper()
	conn := s.operator(t)
	var text strings.Builder
	for _, name := range []string{stream.Claims, stream.Results, stream.DeadLetters, stream.Advisories} {
		from, err := conn.JS.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		for seq := from.CachedInfo().State.FirstSeq; seq != 0 && seq <= from.CachedInfo().State.LastSeq; seq++ {
			msg, err := from.GetMsg(t.Context(), seq)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&text, "%s %v %s\n", msg.Subject, msg.Header, msg.Data)
		}
		if name != stream.Advisories && from.CachedInfo().State.Msgs == 0 {
			t.Errorf("stream %s is empty", name)
		}
	}
	return text.String()
}
