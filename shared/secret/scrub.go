package secret

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// shortest is the length below which a configured value is not searched for: cutting out every "dev" or "1" would
// make texts unreadable and protect nothing.
const shortest = 8

// long is the length from which a path segment or a user's name is taken for a key: "/v1/mainnet" and "balsync" are none.
const long = 16

// Scrubber cuts secrets out of texts that others wrote. It is immutable and may be used concurrently.
// The zero value knows no values and cuts by pattern only.
type Scrubber struct{ values []string }

// userinfo and key patterns catch what was never configured as a secret: credentials in a URL, and query or header
// parameters whose name says that they are one.
var (
	userinfo = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s@"']+@`)
	keyed    = regexp.MustCompile(`(?i)((?:api[-_]?key|access[-_]?token|token|secret|passw(?:or)?d|authorization|bearer)["']?\s*[=:]\s*["']?(?:(?:basic|bearer)\s+)?)[^\s"'&,;]{4,}`)
)

// NewScrubber knows the given secrets. Of a secret that is a URL it also knows the parts that identify its owner: the
// user information, as it is and as it is sent, each long path segment and each query value, since an error may quote them without the rest.
func NewScrubber(secrets ...Text) *Scrubber {
	s := &Scrubber{}
	for _, secret := range secrets {
		s.add(secret.Reveal())
		s.addParts(secret.Reveal())
	}
	// Longest first, so that a value is cut whole before a part of it is.
	slices.SortFunc(s.values, func(a, b string) int { return len(b) - len(a) })
	s.values = slices.Compact(s.values)
	return s
}

func (s *Scrubber) add(value string) {
	if len(value) >= shortest {
		s.values = append(s.values, value)
		if escaped := url.QueryEscape(value); escaped != value {
			s.values = append(s.values, escaped, url.QueryEscape(escaped)) // as it stands in a URL, and in one that stands in another
		}
	}
}

func (s *Scrubber) addParts(value string) {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" {
		return // not a URL: there are no parts
	}
	if password, ok := u.User.Password(); ok {
		s.add(password)
		s.add(u.User.String())
		s.add(base64.StdEncoding.EncodeToString([]byte(u.User.Username() + ":" + password))) // as HTTP sends it
	}
	if name := u.User.Username(); len(name) >= long {
		s.add(name)
		s.add(base64.StdEncoding.EncodeToString([]byte(name + ":")))
	}
	for _, segment := range strings.Split(u.Path+"/"+u.EscapedPath(), "/") {
		if len(segment) >= long {
			s.add(segment)
		}
	}
	for _, values := range u.Query() {
		for _, v := range values {
			s.add(v)
		}
	}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		_, value, _ := strings.Cut(pair, "=")
		s.add(value)
	}
}

// Scrub gives the text with every known secret, and whatever looks like one, replaced by [Mask].
func (s *Scrubber) Scrub(text string) string {
	if s != nil {
		for _, value := range s.values {
			text = strings.ReplaceAll(text, value, Mask)
		}
	}
	text = userinfo.ReplaceAllString(text, "${1}"+Mask+"@")
	return keyed.ReplaceAllString(text, "${1}"+Mask)
}
