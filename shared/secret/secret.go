// Package secret holds values that must not be seen: keys, passwords, and the URLs that carry them.
//
// A [Text] cannot be printed. Every way in which a value usually reaches a log, a message or a page (fmt, encoding/json,
// encoding.TextMarshaler, log/slog, zerolog, yaml) gives [Mask]; only [Text.Reveal] gives the value, so that a search for
// Reveal finds every place that handles one. A [Scrubber] is the second net: it cuts known secrets out of texts that
// others wrote, such as the errors of an HTTP client, which quote the URL with its key.
package secret

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// Mask is what a secret shows of itself.
const Mask = "***"

// Text is a secret string. The zero value is "no secret given". It holds a pointer because fmt prints the unexported
// fields of a struct without asking their methods: of a pointer it shows the address.
type Text struct{ value *string }

// New wraps a value that must not be printed.
func New(value string) Text { return Text{value: &value} }

// Reveal gives the value, for the one call that needs it.
func (t Text) Reveal() string {
	if t.value == nil {
		return ""
	}
	return *t.value
}

// Empty reports whether no secret was given.
func (t Text) Empty() bool { return t.Reveal() == "" }

// String gives [Mask], or nothing when no secret was given.
func (t Text) String() string {
	if t.Empty() {
		return ""
	}
	return Mask
}

// GoString gives the masked form for %#v, which would print the field otherwise.
func (t Text) GoString() string { return fmt.Sprintf("secret.Text(%q)", t.String()) }

// Format gives the masked form for every verb, %x and %d included.
func (t Text) Format(s fmt.State, verb rune) {
	masked := t.String()
	if verb == 'v' && s.Flag('#') {
		masked = t.GoString()
	}
	// fmt has no place for an error of its own writer.
	_, _ = io.WriteString(s, masked)
}

// MarshalJSON gives the masked form.
func (t Text) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }

// MarshalText gives the masked form, which zerolog and most encoders use.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// MarshalYAML gives the masked form, for `config print`.
func (t Text) MarshalYAML() (any, error) { return t.String(), nil }

// LogValue gives the masked form to log/slog.
func (t Text) LogValue() slog.Value { return slog.StringValue(t.String()) }
