package secret

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// shortest is the length below which a configured value is not searched for: cutting out every "dev" or "1" would
// make texts unreadable and protect nothing.
const shortest = 8

// Scrubber cuts secrets out of texts that others wrote. It is immutable and may be used concurrently.
// The zero value knows no values and cuts by pattern only.
type Scrubber struct{ values []string }

// These patterns catch what was never configured as a secret: credentials in a URL, parameters whose name says that they are one, what an
// authorization header holds, and the two forms in which NATS and others write credentials: seeds and tokens in three parts.
var (
	userinfo = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s@"']+@`)
	keyed    = regexp.MustCompile(`(?i)((?:api[-_]?key|access[-_]?token|token|secret|passw(?:or)?d|authorization|bearer)["']?\s*[=:]\s*["']?(?:(?:basic|bearer)\s+)?)[^\s"'&,;]{4,}`)
	bearer   = regexp.MustCompile(`(?i)\b(bearer\s+)[^\s"'\]]{4,}`)
	seed     = regexp.MustCompile(`\bS[UAONC][A-Z2-7]{56}\b`)
	signed   = regexp.MustCompile(`\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}`)
)

// NewScrubber knows the given secrets, as they are and as URLs, JSON and Go quote them. Of a secret that is a URL, a list of URLs, or a
// "password=…" connection string it also knows the parts that identify its owner, since an error may quote them without the rest.
func NewScrubber(secrets ...Text) *Scrubber {
	s := &Scrubber{}
	for _, secret := range secrets {
		s.add(secret.Reveal())
		for piece := range strings.SplitSeq(secret.Reveal(), ",") { // NATS_URL may be a list
			s.addParts(strings.TrimSpace(piece))
		}
	}
	// Longest first, so that a value is cut whole before a part of it is.
	slices.SortFunc(s.values, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	s.values = slices.Compact(s.values)
	return s
}

// add takes in a value in all the forms in which it may be written.
func (s *Scrubber) add(value string) {
	if len(value) < shortest {
		return
	}
	html, err := json.Marshal(value)
	escaped := url.QueryEscape(value)
	forms := []string{value, escaped, url.QueryEscape(escaped), url.PathEscape(value), strings.Trim(strconv.Quote(value), `"`)}
	if err == nil { // it never fails on a string
		forms = append(forms, string(html[1:len(html)-1]))
	}
	s.values = append(s.values, forms...)
}

// longKey is the length from which a part of a URL's path or host, or a word of a header, is taken for a key; "/v1/mainnet" and "Bearer" are none.
const longKey = 16

// addParts takes in the parts of a secret.
func (s *Scrubber) addParts(value string) {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" {
		s.addWords(value)
		return
	}
	if u.User != nil {
		s.addUser(u)
	}
	for _, segment := range append(strings.Split(u.Path, "/"), strings.Split(u.EscapedPath(), "/")...) {
		if len(segment) >= longKey {
			s.add(segment)
		}
	}
	for label := range strings.SplitSeq(u.Hostname(), ".") { // a provider may put the key there, and the network's errors name the host
		if len(label) >= longKey && strings.ContainsAny(label, "0123456789") { // a service's own name has none
			s.add(label)
			s.add(strings.ToLower(label))
		}
	}
	for _, values := range u.Query() {
		for _, v := range values {
			s.add(v)
		}
	}
	for pair := range strings.SplitSeq(u.RawQuery, "&") { // as they were written
		_, v, _ := strings.Cut(pair, "=")
		s.add(v)
	}
}

// addUser takes in what a URL has before its host: a password, a name that stands alone or is as long as a key, and what HTTP makes of both.
func (s *Scrubber) addUser(u *url.URL) {
	name := u.User.Username()
	password, given := u.User.Password()
	s.add(password)
	if given {
		_, escaped, _ := strings.Cut(u.User.String(), ":")
		s.add(escaped)
		s.add(u.User.String())
	}
	database := u.Scheme == "postgres" || u.Scheme == "postgresql" // where a name is no secret
	if !database && (!given || len(name) >= longKey) {
		s.add(name)
	}
	s.add(base64.StdEncoding.EncodeToString([]byte(name + ":" + password)))
}

// addWords takes in the words of a header's value, such as "Bearer …", and the password of a connection string.
func (s *Scrubber) addWords(value string) {
	for _, word := range strings.Fields(value) {
		if key, password, found := strings.Cut(word, "="); found && strings.EqualFold(key, "password") {
			s.add(strings.Trim(password, "'"))
		} else if len(word) >= longKey && word != value {
			s.add(word)
		}
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
	text = keyed.ReplaceAllString(text, "${1}"+Mask)
	text = bearer.ReplaceAllString(text, "${1}"+Mask)
	text = seed.ReplaceAllString(text, Mask)
	return signed.ReplaceAllString(text, Mask)
}
