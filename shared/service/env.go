package service

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/secret"
)

// Env reads a configuration from the environment. It reports every bad value at once: readers never fail, they note
// the fault, give the default and go on; [Env.Err] gives all faults with key, value and what is allowed.
// It belongs to one goroutine.
type Env struct {
	lookup  chain.Lookup
	faults  []error
	shown   []Setting
	secrets []secret.Text
	warned  []string
	noted   map[string]bool // secrets whose file was found wanting: that they are missing is said already
}

// Setting is one effective value, for `config print` and the line that a service logs at its start.
type Setting struct{ Key, Value string }

// NewEnv reads from the given lookup, os.LookupEnv in a process.
func NewEnv(lookup chain.Lookup) *Env { return &Env{lookup: lookup} }

// Err joins all faults, or is nil. Callers exit with [ExitUsage].
func (e *Env) Err() error { return errors.Join(e.faults...) }

// Settings lists what was read, sorted by key, secrets masked.
func (e *Env) Settings() []Setting {
	slices.SortFunc(e.shown, func(a, b Setting) int { return strings.Compare(a.Key, b.Key) })
	e.shown = slices.Compact(e.shown)
	return e.shown
}

// Secrets lists every secret that was read, for the scrubber.
func (e *Env) Secrets() []secret.Text { return e.secrets }

// Know adds secrets that were read elsewhere, for the scrubber.
func (e *Env) Know(secrets ...secret.Text) { e.secrets = append(e.secrets, secrets...) }

// Warn notes what is allowed and should not be; the service logs it at its start.
func (e *Env) Warn(warnings ...string) { e.warned = append(e.warned, warnings...) }

// Warnings lists what was warned of, each once.
func (e *Env) Warnings() []string {
	slices.Sort(e.warned)
	e.warned = slices.Compact(e.warned)
	return e.warned
}

// Fault notes a fault that the caller found in a combination of values.
func (e *Env) Fault(format string, args ...any) {
	e.faults = append(e.faults, fmt.Errorf(format, args...))
}

func (e *Env) show(key string, value any) { e.shown = append(e.shown, Setting{key, fmt.Sprint(value)}) }

// Text reads a string.
func (e *Env) Text(key, fallback string) string {
	value, ok := e.lookup(key)
	if !ok || value == "" {
		value = fallback
	}
	e.show(key, value)
	return value
}

// OneOf reads one of the allowed strings; the first is the default.
func (e *Env) OneOf(key string, allowed ...string) string {
	value := e.Text(key, allowed[0])
	if !slices.Contains(allowed, value) {
		e.Fault("%s=%q: must be one of %s", key, value, strings.Join(allowed, ", "))
		return allowed[0]
	}
	return value
}

// List reads a comma list, without blanks and empty elements.
func (e *Env) List(key string) []string {
	var list []string
	for part := range strings.SplitSeq(e.Text(key, ""), ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// Int reads a whole number from low to high.
func (e *Env) Int(key string, fallback, low, high int) int {
	text := e.Text(key, strconv.Itoa(fallback))
	value, err := strconv.Atoi(text)
	if err != nil || value < low || value > high {
		e.Fault("%s=%q: must be a whole number from %d to %d", key, text, low, high)
		return fallback
	}
	return value
}

// Duration reads a duration such as 90s or 2m, from low to high.
func (e *Env) Duration(key string, fallback, low, high time.Duration) time.Duration {
	text := e.Text(key, fallback.String())
	value, err := time.ParseDuration(text)
	if err != nil || value < low || value > high {
		e.Fault("%s=%q: must be a duration from %s to %s, such as %s", key, text, low, high, fallback)
		return fallback
	}
	return value
}

// Bytes reads a size such as 512MiB or 4GiB, at least low.
func (e *Env) Bytes(key string, fallback, low int64) int64 {
	text := e.Text(key, fmt.Sprintf("%dMiB", fallback>>20))
	number, shift := strings.TrimSuffix(text, "GiB"), 30
	if number == text {
		number, shift = strings.TrimSuffix(text, "MiB"), 20
	}
	value, err := strconv.ParseInt(number, 10, 32)
	if err != nil || number == text || value<<shift < low {
		e.Fault("%s=%q: must be a size such as 512MiB or 4GiB, at least %dMiB", key, text, low>>20)
		return fallback
	}
	return value << shift
}

// Secret reads a value that must not be shown, from the variable or from the file that its _FILE twin names.
func (e *Env) Secret(key string) secret.Text {
	value, ok := e.lookup(key)
	if path, given := e.lookup(key + "_FILE"); given && path != "" {
		if ok && value != "" {
			e.Fault("%s and %s_FILE: set one of them", key, key)
		}
		value = strings.TrimRight(e.secretIn(key, path), "\r\n")
	}
	text := secret.New(value)
	if value != "" {
		e.secrets = append(e.secrets, text)
	}
	e.show(key, text)
	return text
}

// secretIn reads the file of a secret. One without content is a fault of its own: whoever named it has filled it, or so they think.
func (e *Env) secretIn(key, path string) string {
	before := len(e.faults)
	value := e.read(key+"_FILE", path)
	if len(e.faults) == before && strings.TrimSpace(value) == "" {
		e.Fault("%s_FILE: %s is empty", key, path)
	}
	if len(e.faults) > before {
		if e.noted == nil {
			e.noted = map[string]bool{}
		}
		e.noted[key] = true
	}
	return value
}

// read reads a file that holds a secret, and warns of one that every user of the machine may read.
func (e *Env) read(key, path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		e.Fault("%s: %w", key, err)
		return ""
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o004 != 0 {
		e.Warn(fmt.Sprintf("%s: every user of this machine may read %s: chmod o-r", key, path))
	}
	return string(content)
}

// SecretFile reads the path of a file that is secret as a whole, such as credentials, which whoever needs it opens by itself. Its
// lines become known to the scrubber, but for comments and rulers.
func (e *Env) SecretFile(key string) string {
	path := e.Text(key, "")
	if path == "" {
		return ""
	}
	for line := range strings.Lines(e.read(key, path)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "-") && !strings.HasPrefix(line, "*") && !strings.HasPrefix(line, "#") {
			e.Know(secret.New(line))
		}
	}
	return path
}

// Require notes a fault when a secret that the service cannot do without was not given. hint says what it looks like.
func (e *Env) Require(key string, value secret.Text, hint string) secret.Text {
	if value.Empty() && !e.noted[key] {
		e.Fault("%s is not set: %s", key, hint)
	}
	return value
}

// Chains reads the file that BALSYNC_CHAINS names, without endpoints: no variable of a node's URL or key need exist.
func (e *Env) Chains() []chain.Config {
	return e.chains(func(string, chain.Family) bool { return false })
}

// ServedChains reads the chains of a family that BALSYNC_CHAIN lists, all when it lists none, with their endpoints: variables in URLs and
// headers are expanded, from the environment or their _FILE twins. Those of no other chain are looked up, so a fetcher needs no other
// fetcher's keys.
func (e *Env) ServedChains(family chain.Family) []chain.Config {
	names := e.List("BALSYNC_CHAIN")
	return e.serve(e.chains(func(name string, of chain.Family) bool {
		return of == family && (len(names) == 0 || slices.Contains(names, name))
	}), family)
}

func (e *Env) chains(serve func(string, chain.Family) bool) []chain.Config {
	path := e.Text("BALSYNC_CHAINS", "chains.yaml")
	doc, err := os.ReadFile(path)
	if err != nil {
		e.Fault("BALSYNC_CHAINS: %w", err)
		return nil
	}
	chains, err := chain.ParseFor(doc, e.expand, serve)
	if err != nil {
		e.faults = append(e.faults, err)
	}
	e.secrets = append(e.secrets, chain.Secrets(chains)...)
	return chains
}

// serve narrows chains to one family and to those that BALSYNC_CHAIN lists, all when it lists none. Of every endpoint's rate it gives
// this process its part: providers count all replicas of a fetcher, and BALSYNC_REPLICAS says how many there are.
func (e *Env) serve(chains []chain.Config, family chain.Family) []chain.Config {
	chains = chain.Divide(chain.Of(chains, family), e.Int("BALSYNC_REPLICAS", 1, 1, 1000))
	names := e.List("BALSYNC_CHAIN")
	if len(names) == 0 {
		return chains
	}
	var served []chain.Config
	for _, name := range names {
		at := slices.IndexFunc(chains, func(c chain.Config) bool { return c.Name == name })
		if at < 0 {
			e.Fault("BALSYNC_CHAIN=%q: no %s chain of that name in the chains file", name, family)
			continue
		}
		served = append(served, chains[at])
	}
	return served
}

// expand is the lookup for ${NAME} in the chains file.
func (e *Env) expand(name string) (string, bool) {
	value := e.Secret(name).Reveal()
	return value, value != ""
}

// Instance names this process among its siblings: BALSYNC_INSTANCE, else the host's name. It becomes part of locked_by, so it is kept
// short and free of the separator.
func (e *Env) Instance() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	name := e.Text("BALSYNC_INSTANCE", host)
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_' {
			return r
		}
		return '-'
	}, name)
	return cmp.Or(clean[:min(len(clean), 48)], "unknown")
}
