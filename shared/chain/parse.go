package chain

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"time"

	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/google/uuid"
	"go.yaml.in/yaml/v3"
)

// Lookup finds an environment variable, as os.LookupEnv does.
type Lookup func(name string) (string, bool)

// Parse reads chains.yaml. Unknown keys are refused and every fault is reported at once, joined into one error whose
// lines begin with the chain they belong to. With endpoints set, ${NAME} in URLs and headers is expanded from the environment and
// the endpoints are checked; without it they are left out and their variables need not exist.
func Parse(doc []byte, lookup Lookup, endpoints bool) ([]Config, error) {
	return ParseFor(doc, lookup, func(string, Family) bool { return endpoints })
}

// ParseFor is Parse with the endpoints of those chains only that serve says: a program that reads some chains has no other's keys.
func ParseFor(doc []byte, lookup Lookup, serve func(name string, family Family) bool) ([]Config, error) {
	var file struct {
		Chains []entry `yaml:"chains"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(doc))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("chains.yaml: %w", err)
	}
	if len(file.Chains) == 0 {
		return nil, errors.New("chains.yaml: no chains: list at least one under `chains:`")
	}
	var faults []error
	seen := map[string]bool{}
	chains := make([]Config, 0, len(file.Chains))
	for i, e := range file.Chains {
		config, errs := e.config(lookup, serve(e.Name, e.Family))
		if seen[e.Name] {
			errs = append(errs, errors.New("name is used twice"))
		}
		seen[e.Name] = true
		for _, err := range errs {
			faults = append(faults, fmt.Errorf("chains[%d] %q: %w", i, e.Name, err))
		}
		chains = append(chains, config)
	}
	faults = append(faults, share(chains)...)
	return chains, errors.Join(faults...)
}

// share gives every endpoint of a budget its rate, which one of them has to say, and the others must not contradict.
func share(chains []Config) []error {
	var faults []error
	rates := map[string]float64{}
	for _, c := range chains {
		for _, e := range c.Endpoints {
			switch known := rates[e.Budget]; {
			case !slug.MatchString(e.Budget) || e.RPS <= 0: // a name that is none is not repeated: it may be the key
			case known == 0:
				rates[e.Budget] = e.RPS
			case known != e.RPS:
				faults = append(faults, fmt.Errorf("chain %q: endpoint %q: rps %v: budget %q has %v elsewhere: it is the rate of all its endpoints together, give it once",
					c.Name, e.Name, e.RPS, e.Budget, known))
			}
		}
	}
	for _, c := range chains {
		for i := range c.Endpoints {
			if e := &c.Endpoints[i]; e.Budget != "" && e.RPS == 0 {
				e.RPS = rates[e.Budget]
			}
		}
	}
	return faults
}

// entry is a chain as the file has it.
type entry struct {
	Name         string          `yaml:"name"`
	Family       Family          `yaml:"family"`
	ChainID      uint64          `yaml:"chain_id"`
	Genesis      string          `yaml:"genesis"`
	Finality     string          `yaml:"finality"`
	BlockTime    string          `yaml:"block_time"`
	HeightSlack  *int64          `yaml:"height_slack"`
	DatabaseName string          `yaml:"database_name"`
	DatabaseID   string          `yaml:"database_id"`
	Height       string          `yaml:"height"`
	Multicall    string          `yaml:"multicall"`
	Endpoints    []entryEndpoint `yaml:"endpoints"`
}

type entryEndpoint struct {
	Name        string            `yaml:"name"`
	URL         string            `yaml:"url"`
	RPS         float64           `yaml:"rps"`
	Budget      string            `yaml:"budget"`
	Concurrency int               `yaml:"concurrency"`
	Headers     map[string]string `yaml:"headers"`
}

var (
	slug    = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)
	blockID = regexp.MustCompile(`^[0-9a-f]{64}$`)
	account = regexp.MustCompile(`^0x[0-9a-fA-F]{40}$`)
	base58  = regexp.MustCompile(`^T[1-9A-HJ-NP-Za-km-z]{33}$`)
)

// config checks an entry and gives every fault it has.
func (e entry) config(lookup Lookup, endpoints bool) (Config, []error) {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }

	if !slug.MatchString(e.Name) {
		fault("name must match %s", slug)
	}
	finality := e.Finality
	switch e.Family {
	case EVM:
		if e.ChainID == 0 {
			fault("chain_id is missing: the EIP-155 id that the nodes must answer")
		}
		if e.Genesis != "" {
			fault("genesis belongs to tron chains")
		}
		finality = orElse(finality, DefaultFinality)
		e.Multicall = orElse(e.Multicall, DefaultMulticall)
		if !account.MatchString(e.Multicall) {
			fault("multicall %q: must be the address of Multicall3, 0x and 40 hex digits", e.Multicall)
		}
		if e.Height != "" && e.Height != ArbSys {
			fault("height %q: must be %s, or left out where NUMBER is the chain's own height", e.Height, ArbSys)
		}
	case TRON:
		if !blockID.MatchString(e.Genesis) {
			fault("genesis must be the id of block 0, 64 hex digits in lower case")
		}
		if e.ChainID != 0 {
			fault("chain_id belongs to evm chains")
		}
		if e.Multicall != "" && !base58.MatchString(e.Multicall) {
			fault("multicall %q: must be the base58 address of Multicall3, 34 characters from T on, or left out where there is none", e.Multicall)
		}
		if e.Height != "" {
			fault("height belongs to evm chains")
		}
		finality = orElse(finality, DefaultTRON)
	default:
		fault("family %q: must be evm or tron", e.Family)
	}
	config := Config{Name: e.Name, Family: e.Family, ChainID: e.ChainID, Genesis: e.Genesis, HeightSlack: DefaultHeightSlack,
		DatabaseName: e.DatabaseName, DatabaseID: e.DatabaseID, Height: e.Height, Multicall: e.Multicall}
	if e.Family == EVM || e.Family == TRON {
		var err error
		if config.Finality, err = ParseFinality(e.Family, finality); err != nil {
			faults = append(faults, err)
		}
	}
	blockTime, err := time.ParseDuration(orElse(e.BlockTime, "0"))
	if err != nil || blockTime <= 0 {
		fault("block_time %q: must be a duration above 0, the fastest that a block can come, such as 750ms", e.BlockTime)
	}
	config.BlockTime = blockTime
	if e.HeightSlack != nil {
		config.HeightSlack = *e.HeightSlack
		if *e.HeightSlack < 0 {
			fault("height_slack %d: must be 0 or more blocks", *e.HeightSlack)
		}
	}
	if e.DatabaseName != "" && e.DatabaseID != "" {
		fault("database_name and database_id: set one of them")
	}
	if e.DatabaseID != "" && uuid.Validate(e.DatabaseID) != nil {
		fault("database_id %q: must be a uuid", e.DatabaseID)
	}
	if endpoints {
		list, errs := expand(e.Family, e.Endpoints, lookup)
		config.Endpoints = list
		faults = append(faults, errs...)
	}
	return config, faults
}

func orElse(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}

// maxConcurrency is the most requests at once that an endpoint may be configured for.
const maxConcurrency = 256

// like is what an endpoint of a family looks like.
var like = map[Family]string{EVM: "https://host/path", TRON: "grpcs://host:50051"}

// expand resolves the endpoints of one chain. Errors name the endpoint and never its URL.
func expand(family Family, list []entryEndpoint, lookup Lookup) ([]Endpoint, []error) {
	if len(list) == 0 {
		return nil, []error{errors.New("endpoints: at least one is needed: - {name: node-a, url: \"https://…\"}")}
	}
	var faults []error
	seen := map[string]bool{}
	endpoints := make([]Endpoint, 0, len(list))
	for _, e := range list {
		fault := func(format string, args ...any) {
			faults = append(faults, fmt.Errorf("endpoint %q: "+format, append([]any{e.Name}, args...)...))
		}
		if !slug.MatchString(e.Name) {
			fault("name must match %s: it is the alias that logs and metrics show", slug)
		}
		if seen[e.Name] {
			fault("name is used twice")
		}
		seen[e.Name] = true
		address, err := Expand(e.URL, lookup)
		if err != nil {
			fault("url: %w", err)
		} else if u, err := url.Parse(address); err != nil || u.Host == "" || family == EVM && u.Scheme != "http" && u.Scheme != "https" {
			fault("url: not a URL such as %s", like[family])
		}
		if e.RPS < 0 {
			fault("rps %v: must be 0 (unlimited) or more", e.RPS)
		}
		if e.Budget != "" && !slug.MatchString(e.Budget) {
			fault("budget must match %s: a name of yours for the key that endpoints share, not the key", slug) // and is not quoted
		}
		if e.Concurrency < 0 || e.Concurrency > maxConcurrency {
			fault("concurrency %d: must be 0 (the default) to %d requests at once", e.Concurrency, maxConcurrency)
		}
		headers := make(map[string]secret.Text, len(e.Headers))
		for key, text := range e.Headers {
			value, err := Expand(text, lookup)
			if err != nil {
				fault("header %s: %w", key, err)
			}
			headers[key] = secret.New(value)
		}
		endpoints = append(endpoints, Endpoint{Name: e.Name, URL: secret.New(address), RPS: e.RPS, Budget: e.Budget, Concurrency: e.Concurrency, Headers: headers})
	}
	return endpoints, faults
}

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// Expand replaces ${NAME} by the environment's value. A variable that is not set or empty is an error that names it; NAME_FILE,
// the path of a file that holds the value, is looked up by the given function's owner.
func Expand(text string, lookup Lookup) (string, error) {
	var missing []error
	out := variable.ReplaceAllStringFunc(text, func(match string) string {
		name := variable.FindStringSubmatch(match)[1]
		value, ok := lookup(name)
		if !ok || value == "" {
			missing = append(missing, fmt.Errorf("${%s} is not set in the environment", name))
		}
		return value
	})
	return out, errors.Join(missing...)
}
