package fetchertron

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

const canary = "CANARY0123456789abcdef"

func TestURLsOfEndpoints(t *testing.T) {
	for text, want := range map[string]struct {
		target string
		secure bool
	}{
		"grpc://127.0.0.1:50051": {"127.0.0.1:50051", false}, "grpcs://tron.example:443": {"tron.example:443", true}, "grpcs://tron.example:443/": {"tron.example:443", true},
		"grpc://[::1]:50061": {"[::1]:50061", false},
	} {
		if target, secure, err := parseURL(secret.New(text)); err != nil || target != want.target || secure != want.secure {
			t.Errorf("%s: %s, %t, %v", text, target, secure, err)
		}
	}
	for text, want := range map[string]error{
		"http://h:1": errScheme, "https://h:1": errScheme, "h:1": errScheme, "": errScheme, "dns:///h:1": errScheme, "grpc://h": errTarget, "grpcs://h": errTarget, "grpc://:1": errTarget,
		"grpc://h:1/" + canary: errTarget, "grpc://h:1?key=" + canary: errTarget, "grpc://u:" + canary + "@h:1": errTarget, "grpc://h:1#" + canary: errTarget, "grpc://%zz" + canary: errTarget,
	} {
		_, _, err := parseURL(secret.New(text))
		if !errors.Is(err, want) || strings.Contains(err.Error(), canary) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// certificate makes one for 127.0.0.1, with what trusts it.
func certificate(t *testing.T) (tls.Certificate, *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "node"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, &tls.Config{RootCAs: pool}
}

func TestAnEndpointWithTLS(t *testing.T) {
	cert, trust := certificate(t)
	for name, tt := range map[string]struct {
		most  uint16
		trust *tls.Config
		good  bool
	}{
		"trusted": {tls.VersionTLS13, trust, true}, "tls 1.2": {tls.VersionTLS12, trust, true}, "tls 1.1": {tls.VersionTLS11, trust, false}, "not trusted": {tls.VersionTLS13, nil, false},
	} {
		node := newScript(t, grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10, MaxVersion: tt.most})))
		node.url = strings.Replace(node.url, "grpc://", "grpcs://", 1)
		config := setup()
		config.trust = tt.trust
		r := readerOf(t, config, chainOf(node))
		rows := goodRows(1)
		outcomes := r.Read(t.Context(), rows, 0)
		if tt.good {
			mustBeTrue(t, node, rows, outcomes)
		} else {
			noValue(t, outcomes)
		}
		if name != "tls 1.1" && tt.good != (node.requests.Load() > 0) {
			t.Errorf("%s: %d requests", name, node.requests.Load())
		}
	}
}

func TestHeadersGoWithEveryCall(t *testing.T) {
	node := newScript(t)
	c := chainOf(node)
	c.Endpoints[0].Headers = map[string]secret.Text{"TRON-PRO-API-KEY": secret.New(canary), "x-token": secret.New("second")}
	node.intercept(func(ctx context.Context, q inquiry) (proto.Message, error) {
		given, _ := metadata.FromIncomingContext(ctx)
		if key, token := given.Get("tron-pro-api-key"), given.Get("x-token"); len(key) != 1 || key[0] != canary || len(token) != 1 || token[0] != "second" {
			return nil, status.Error(codes.Unauthenticated, "no key")
		}
		return q.answer(), nil
	})
	rows := goodRows(2)
	mustBeTrue(t, node, rows, readerOf(t, setup(), c).Read(t.Context(), rows, 0))
}

// An account carries its votes, tokens and permissions, which may be more than gRPC reads by default.
func TestALargeAccountIsRead(t *testing.T) {
	node := newScript(t)
	r := readerOf(t, setup(), chainOf(node))
	node.intercept(on("account", func(q inquiry) (proto.Message, error) {
		return &core.Account{Address: holder(1).wire(), Balance: 7, Code: make([]byte, 8<<20)}, nil
	}))
	rows := []fetch.Row{rowOf(native(), holder(1).String())}
	if o := r.Read(t.Context(), rows, 0)[0]; o.Raw != "7" {
		t.Errorf("%+v", o.Err)
	}
	node.intercept(on("account", func(q inquiry) (proto.Message, error) {
		return &core.Account{Address: holder(1).wire(), Balance: 7, Code: make([]byte, 33<<20)}, nil
	}))
	noValue(t, r.Read(t.Context(), rows, 0))
}

// What grpc-go makes of the answers of a gateway that speaks HTTP, as TronGrid's does when it refuses.
func TestStatusesOfAGatewayAreUnderstood(t *testing.T) {
	tests := map[int]class{401: barred, 403: limited, 404: unsupported, 429: limited, 503: limited, 502: down, 504: down, 500: down, 200: garbage}
	for code, want := range tests {
		gateway := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(code)
			_, _ = io.WriteString(w, "<html>")
		}))
		gateway.Config.Protocols = new(http.Protocols)
		gateway.Config.Protocols.SetUnencryptedHTTP2(true)
		gateway.Start()
		tr, err := newTransport(chain.Endpoint{URL: secret.New(strings.Replace(gateway.URL, "http://", "grpc://", 1))}, 2*time.Second, 1<<20, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _, f := ask(t.Context(), tr, walletOf(tr.conn, chain.Finality{Tag: "solid"}).GetAccount, &core.Account{})
		if f == nil || f.class != want {
			t.Errorf("HTTP %d: %v, want %s", code, f, want)
		}
		_ = tr.conn.Close() // of a test
		gateway.Close()
	}
}

func TestNoErrorHoldsASecret(t *testing.T) {
	echo := func(ctx context.Context, _ inquiry) (proto.Message, error) { // a gateway that repeats what it was sent
		given, _ := metadata.FromIncomingContext(ctx)
		return nil, status.Error(codes.PermissionDenied, "key "+strings.Join(given.Get("x-token"), "")+" is not known")
	}
	for name, hook := range map[string]func(context.Context, inquiry) (proto.Message, error){
		"echo": echo, "in an account": on("account", func(inquiry) (proto.Message, error) {
			return nil, status.Error(codes.Unavailable, "token="+canary)
		}),
	} {
		node := newScript(t)
		c := chainOf(node)
		c.Endpoints[0].Headers = map[string]secret.Text{"x-token": secret.New(canary)}
		var log bytes.Buffer
		f, err := newFleet(setup(), c, newProcess(&log))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(f.close)
		f.round(t.Context())
		node.intercept(hook)
		r := &reader{fleet: f, calls: 2}
		for range 3 {
			outcomes := r.Read(t.Context(), goodRows(3), 0)
			f.round(t.Context())
			_, states := f.process.Health.Ready()
			text := log.String()
			for _, o := range outcomes {
				if o.Err != nil {
					text += o.Err.Message
				}
			}
			for _, state := range states {
				text += state
			}
			if strings.Contains(text, canary) || !strings.Contains(text, secret.Mask) {
				t.Errorf("%s: %s", name, text)
			}
		}
	}
}

func TestAnEndpointWithoutTLSIsWarnedOf(t *testing.T) {
	for url, want := range map[string]bool{"grpc://tron.example:50051": true, "grpc://10.0.0.1:50051": true, "grpc://127.0.0.1:50051": false, "grpc://localhost:1": false, "grpc://[::1]:1": false, "grpcs://tron.example:443": false} {
		var log bytes.Buffer
		c := chain.Config{Name: "dev", Endpoints: []chain.Endpoint{{Name: "a", URL: secret.New(url)}}}
		f, err := newFleet(setup(), c, newProcess(&log))
		if err != nil {
			t.Fatal(err)
		}
		f.close()
		if got := strings.Contains(log.String(), "without tls"); got != want {
			t.Errorf("%s: %q", url, log.String())
		}
	}
	c := chain.Config{Name: "dev", Endpoints: []chain.Endpoint{{Name: "a", URL: secret.New("https://h:1/" + canary)}}}
	if _, err := newFleet(setup(), c, newProcess(io.Discard)); !errors.Is(err, errScheme) || strings.Contains(err.Error(), canary) {
		t.Errorf("%v", err)
	}
}

func TestTheBudgetOfAnEndpointIsKept(t *testing.T) {
	node := newScript(t)
	c := chainOf(node)
	c.Endpoints[0].RPS = 0.01
	f, err := newFleet(setup(), c, newProcess(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	for _, n := range f.nodes {
		n.member.Admit()
		if err := n.member.Wait(ctx); err != nil { // the only one
			t.Fatal(err)
		}
	}
	outcomes := (&reader{fleet: f, calls: 8}).Read(ctx, goodRows(2), 0)
	noValue(t, outcomes)
	if node.requests.Load() != 0 || outcomes[0].Err.Code != wire.CodeRateLimited {
		t.Errorf("%d requests, %+v", node.requests.Load(), outcomes[0].Err)
	}
}
