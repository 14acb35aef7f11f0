package secret_test

import (
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"text/template"

	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/rs/zerolog"
	"go.yaml.in/yaml/v3"
)

const canary = "CANARY_8f2e4a77c1"

func TestASecretCannotBePrinted(t *testing.T) {
	s := secret.New(canary)
	holder := struct {
		URL    secret.Text
		Many   []secret.Text
		hidden secret.Text
	}{s, []secret.Text{s}, s}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb+" "+verb+" "+verb+"\n", s, &s, holder)
	}
	asJSON, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(asJSON)
	out.Write(asYAML)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "secret", s, "holder", holder)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "secret", s, "holder", holder, "pointer", &holder)
	asXML, err := xml.Marshal([]secret.Text{s})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(asXML)
	if err := template.Must(template.New("").Parse("{{.URL}} {{.Many}} {{.}} {{printf \"%q\" .URL}}")).Execute(&out, holder); err != nil {
		t.Fatal(err)
	}
	asKey, err := json.Marshal(map[secret.Text]*secret.Text{s: &s})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(asKey)
	fmt.Fprint(&out, map[string]any{"a": s, "b": &s, "c": []any{s}}, fmt.Errorf("wrapped: %v, %w", s, errors.New("x")))
	// gob writes fields and has no mask: it must refuse.
	var binary strings.Builder
	if err := gob.NewEncoder(&binary).Encode(struct{ URL secret.Text }{s}); err == nil {
		t.Error("gob encodes a secret")
	}
	out.WriteString(binary.String())
	log := zerolog.New(&out)
	log.Info().Fields(map[string]any{"f": s, "g": holder}).Err(fmt.Errorf("%v", holder)).Stringer("a", s).Interface("b", holder).Any("c", s).Msg("x")
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary)} {
		if strings.Contains(out.String(), form) {
			t.Errorf("the secret is in the output as %q:\n%s", form, out.String())
		}
	}
	if s.Reveal() != canary {
		t.Error("Reveal does not give the value")
	}
}

func TestScrubberCutsSecretsOutOfOthersTexts(t *testing.T) {
	s := secret.NewScrubber(
		secret.New("https://user:hunter2hunter2@node.example/v3/0123456789abcdef0123?apikey=QUERYKEY99"),
		secret.New("plain-header-value"),
		secret.New("short"),
		secret.New("https://LongUserKey-0123456@node.example/a%2Fb%24key-0123456789?k=q%2Fz%2B0123456"),
		secret.New("nats://one:first-password@h1:4222, nats://TOKENTOKEN@h2:4222"),
		secret.New("host=db user=app password='dsn-password' dbname=x"),
		secret.New("Bearer abcdefghijklmnop"),
		secret.New("postgres://balsync_writer@db.example/app"),
		secret.New(`quo"ted\password`),
		secret.New("https://bob:p%40ss%2Fword@node.example/"),
	)
	tests := []struct{ name, in, want string }{
		{"the whole URL", `Post "https://user:hunter2hunter2@node.example/v3/0123456789abcdef0123?apikey=QUERYKEY99": EOF`, `Post "***": EOF`},
		{"its path key alone", "project 0123456789abcdef0123 is over quota", "project *** is over quota"},
		{"its query key alone", "key QUERYKEY99 is unknown", "key *** is unknown"},
		{"a header", "bad value plain-header-value", "bad value ***"},
		{"a value too short to search for", "a short text", "a short text"},
		{"credentials nobody configured", "dial postgres://bob:pw@db/x", "dial postgres://***@db/x"},
		{"a parameter that says it is a key", "GET /?api_key=abcd1234&x=1", "GET /?api_key=***&x=1"},
		{"a password of a list", "first-password is wrong", "*** is wrong"},
		{"a token of a list", "user TOKENTOKEN is unknown", "user *** is unknown"},
		{"the password of a connection string", "tried dsn-password", "tried ***"},
		{"a header's token without its scheme", "token of abcdefghijklmnop expired", "token of *** expired"},
		{"a name that is no secret", "permission denied for balsync_writer", "permission denied for balsync_writer"},
		{"what JSON makes of it", `{"e":"quo\"ted\\password"}`, `{"e":"***"}`},
		{"a password as the URL has it", "auth p%40ss%2Fword", "auth ***"},
		{"a password as it is", "auth p@ss/word", "auth ***"},
		{"what HTTP makes of name and password", "got dXNlcjpodW50ZXIyaHVudGVyMg==", "got ***"},
		{"an authorization that nobody configured", `Authorization: Basic dXNlcjpwYXNz x`, `Authorization: Basic *** x`},
		{"a bearer that nobody configured", `sent "Bearer sk-1234567890"`, `sent "Bearer ***"`},
		{"a seed of NATS", "seed SU" + strings.Repeat("A2", 28) + " read", "seed *** read"},
		{"a signed token", "jwt eyJhbGciOiJlZDI1NTE5In0.eyJqdGkiOiJYWFhYWFhYIn0.c2lnbmF0dXJlLi4 read", "jwt *** read"},
		{"what HTTP makes of a password", "Authorization: Basic dXNlcjpodW50ZXIyaHVudGVyMg==", "Authorization: *** ***"},
		{"the same without its name", "got dXNlcjpodW50ZXIyaHVudGVyMg== from you", "got *** from you"},
		{"a token that nobody configured", `"authorization": "Bearer eyJhbGciOi.J9"`, `"authorization": "Bearer ***"`},
		{"a user that is a key", "user LongUserKey-0123456 is unknown", "user *** is unknown"},
		{"that user as HTTP sends it", "got TG9uZ1VzZXJLZXktMDEyMzQ1Njo=", "got ***"},
		{"a path key as it was written", "no /a%2Fb%24key-0123456789 here", "no /*** here"},
		{"a path key as it was meant", "no a/b$key-0123456789 here", "no a/*** here"},
		{"a query key as it was written", "k=q%2Fz%2B0123456", "k=***"},
		{"a query key as it was meant", "key q/z+0123456", "key ***"},
		{"a query key in a URL in a URL", "to=%3Fk%3Dq%252Fz%252B0123456", "to=%3Fk%3D***"},
		{"nothing to hide", "execution reverted: nope", "execution reverted: nope"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := s.Scrub(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWriterScrubsAndReportsTheWholeLine(t *testing.T) {
	var out strings.Builder
	w := secret.Writer{To: &out, Scrubber: secret.NewScrubber(secret.New(canary))}
	line := "x " + canary + "\n"
	n, err := w.Write([]byte(line))
	if err != nil || n != len(line) {
		t.Fatalf("Write = %d, %v; want %d, nil", n, err, len(line))
	}
	if got := out.String(); got != "x ***\n" {
		t.Errorf("wrote %q", got)
	}
}

func ExampleText() {
	key := secret.New("0123456789abcdef")
	fmt.Println(key, len(key.Reveal()))
	// Output: *** 16
}

// Some providers make the key a part of the host's name, and an error of the network quotes that.
func TestAKeyInAHostsNameIsCut(t *testing.T) {
	s := secret.NewScrubber(secret.New("https://0123456789abcdefABCDEF0123456789.eth.rpc.example/"))
	for _, text := range []string{"dial tcp: lookup 0123456789abcdefABCDEF0123456789.eth.rpc.example: no such host", "x509: not valid for 0123456789abcdefabcdef0123456789.eth.rpc.example"} {
		if got := s.Scrub(text); strings.Contains(strings.ToLower(got), "abcdef") || !strings.Contains(got, ".eth.rpc.example") {
			t.Errorf("%s", got)
		}
	}
}
