package wire

import (
	"strings"
	"unicode/utf8"
)

// CleanText makes a text from the database safe to send: at most [MaxText] bytes of printable ASCII that JSON does not
// escape. Whatever else it held becomes '?', which no address contains, so a bad address stays bad and a message
// stays small. Addresses of both families pass unchanged.
func CleanText(text string) string {
	if len(text) > MaxText {
		text = text[:MaxText]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\<>&`, r) {
			return '?'
		}
		return r
	}, text)
}

// CleanError makes a text from a node fit for last_error: valid UTF-8 without NUL, which Postgres refuses, or other
// control characters, at most [MaxErrorText] characters. Secrets must have been scrubbed before the cut, or half a key would pass.
func CleanError(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if utf8.RuneCountInString(text) <= MaxErrorText {
		return text
	}
	count := 0
	for i := range text {
		if count == MaxErrorText {
			return text[:i]
		}
		count++
	}
	return text
}
