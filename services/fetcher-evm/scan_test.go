package fetcherevm

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/balance-sync/balance-sync/devkit/evmdev"
	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/scanner"
	"github.com/balance-sync/balance-sync/shared/wire"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// alter lets a test change what the node is asked.
func alter(node *evmdev.Node, change func(request string) string) {
	node.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body) // of a client in this process
			text := change(string(body))
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
			next.ServeHTTP(w, r)
		})
	})
}

func TestWhatAScanDoesNotGetToIsSentAgainFromThere(t *testing.T) {
	node := geth(t, chainID)
	rows := goodRows(node, 150)
	to := scanner.OverrideAddress()
	for _, tt := range []struct {
		at    rung
		begin string
		gas   int
	}{{override, fmt.Sprintf(`{"to":"0x%x",`, to), 900_000}, {create, byInitcode[1:], 3_000_000}} {
		node.Intercept(nil)
		r := readerOf(t, setupAt(tt.at), chainOf(node.URL()))
		var scans atomic.Int32
		alter(node, func(request string) string {
			if !strings.Contains(request, byOverride) && !strings.Contains(request, byInitcode) {
				return request
			}
			scans.Add(1)
			return strings.Replace(request, tt.begin, fmt.Sprintf(`{"gas":"0x%x",`, tt.gas)+tt.begin[1:], 1)
		})
		read(t, node, r, rows, tt.at)
		if scans.Load() < 3 {
			t.Errorf("%s: %d scans: the gas was enough for all", tt.at, scans.Load())
		}
		// What was learnt fits: a prefix is no failure, and the next reading wastes no row.
		first := scans.Swap(0)
		for _, n := range r.fleet.nodes {
			if size := n.ladder.sizes[tt.at].now(); size < 50 || size > 400 {
				t.Errorf("%s: size %d", tt.at, size)
			}
		}
		read(t, node, r, rows, tt.at)
		if scans.Load() > first {
			t.Errorf("%s: %d scans, then %d", tt.at, first, scans.Load())
		}
		if n := testutil.CollectAndCount(r.fleet.metrics.demotions); n != 0 {
			t.Errorf("%s: %d demotions", tt.at, n)
		}
	}
}

func TestANodeThatGivesAScanTooLittleGasForOneRowIsReadOtherwise(t *testing.T) {
	node := geth(t, chainID)
	r := readerOf(t, setup(), chainOf(node.URL()))
	to := scanner.OverrideAddress()
	alter(node, func(request string) string {
		return strings.Replace(request, fmt.Sprintf(`{"to":"0x%x",`, to), fmt.Sprintf(`{"gas":"0x%x","to":"0x%x",`, 300_000, to), 1)
	})
	rows := goodRows(node, 50)
	outcomes := r.Read(t.Context(), rows, 0)
	mustBeTrue(t, node, rows, outcomes)
	if route := outcomes[0].Proof.Route; route != create.String() {
		t.Errorf("route %s", route)
	}
}

// Initcode keeps gas back for the answer, which a node charges for as code: with less gas a smaller request still works.
func TestInitcodeThatCannotPayForItsAnswerIsHalved(t *testing.T) {
	node := geth(t, chainID)
	r := readerOf(t, setupAt(create), chainOf(node.URL()))
	alter(node, func(request string) string {
		return strings.Replace(request, byInitcode, fmt.Sprintf(`[{"gas":"0x%x","data":"0x`, 1_600_000), 1)
	})
	read(t, node, r, goodRows(node, 100), create)
}

func TestARequestThatIsTooLargeForTheNodeIsHalved(t *testing.T) {
	for _, at := range []rung{override, create, multicall, batch} {
		node := geth(t, chainID)
		r := readerOf(t, setupAt(at), chainOf(node.URL()))
		var refused atomic.Int32
		most := map[rung]int{override: 6000, create: 6000, multicall: 90_000, batch: 10_000}[at]
		node.Intercept(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				if q.ContentLength > int64(most) {
					refused.Add(1)
					http.Error(w, fmt.Sprintf("content length too large (%d>%d)", q.ContentLength, most), http.StatusRequestEntityTooLarge)
					return
				}
				next.ServeHTTP(w, q)
			})
		})
		rows := goodRows(node, 150)
		read(t, node, r, rows, at)
		if refused.Load() == 0 {
			t.Errorf("%s: nothing was refused", at)
		}
		learnt := refused.Swap(0)
		read(t, node, r, rows, at)
		if refused.Load() > 1 { // growing again may meet the limit once more
			t.Errorf("%s: %d requests were refused, then %d", at, learnt, refused.Load())
		}
	}
}

func TestNoRequestForManyBalancesIsAboveTheBodyGuard(t *testing.T) {
	for at := override; at < single; at++ {
		node := geth(t, chainID)
		config := setupAt(at)
		config.MaxBody = 8000
		var largest atomic.Int64
		node.Intercept(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				largest.Store(max(largest.Load(), q.ContentLength))
				next.ServeHTTP(w, q)
			})
		})
		r := readerOf(t, config, chainOf(node.URL()))
		read(t, node, r, goodRows(node, 150), at)
		if largest.Load() > 8000 || largest.Load() < 2000 {
			t.Errorf("%s: the largest request had %d bytes", at, largest.Load())
		}
	}
}

// attestation rewrites what a scan says of itself: its words are counted in hex digits from the version on.
func attestation(from, to int, with string) func(exchange) string {
	return func(e exchange) string {
		before, scan, found := strings.Cut(e.answer, `"result":"0x01000000`)
		if !found || !strings.Contains(e.request, `"data":"0x`) {
			return e.answer
		}
		scan = "01000000" + scan
		return before + `"result":"0x` + scan[:from] + with + scan[to:]
	}
}

// word rewrites one of the first words of Multicall3's answers: those of chain, height and parent.
func word(row int, with string) func(exchange) string {
	return func(e exchange) string {
		before, words, found := strings.Cut(e.answer, `"result":"0x`)
		if !found || !strings.Contains(e.request, byMulticall) {
			return e.answer
		}
		n, err := strconv.ParseUint(words[64:128], 16, 32)
		if err != nil {
			return e.answer
		}
		at := 64 * (2 + int(n) + 4*row + 3)
		return before + `"result":"0x` + words[:at] + strings.Repeat("0", 64-len(with)) + with + words[at+64:]
	}
}

func TestAnAnswerThatIsNotOfTheChainAndTheBlockIsThrownAway(t *testing.T) {
	type lie struct {
		name, code string
		change     func(exchange) string
	}
	node, liar := geth(t, chainID), geth(t, chainID)
	other := strings.Repeat("ab", 32)
	scans := []lie{
		{"another chain", wire.CodeWrongChain, attestation(8, 24, "0000000000000038")},
		{"an earlier block", wire.CodeLagging, attestation(24, 40, "0000000000000002")},
		{"a later block", wire.CodeLagging, attestation(24, 40, "0000000000000004")},
		{"another fork", wire.CodeLagging, attestation(64, 128, other)},
	}
	for at, lies := range map[rung][]lie{override: scans, create: scans, multicall: {
		{"another chain", wire.CodeWrongChain, word(0, "38")},
		{"an earlier block", wire.CodeLagging, word(1, "2")},
		{"a later block", wire.CodeLagging, word(1, "4")},
		{"another fork", wire.CodeLagging, word(2, other)},
	}} {
		for _, lie := range lies {
			t.Run(at.String()+", "+lie.name, func(t *testing.T) {
				liar.Intercept(nil)
				rows := goodRows(node, 10)
				alone := readerOf(t, setupAt(at), chainOf(liar.URL()))
				both := readerOf(t, setupAt(at), chainOf(liar.URL(), node.URL()))
				rewrite(liar, lie.change)
				outcomes := alone.Read(t.Context(), rows, 0)
				noValue(t, outcomes)
				if outcomes[0].Err.Class != wire.ClassEndpoint || outcomes[0].Err.Code != lie.code {
					t.Errorf("%+v, want %s", outcomes[0].Err, lie.code)
				}
				state := alone.fleet.pool.States()[0]
				if state.Quarantined != (lie.code == wire.CodeWrongChain) || state.Failures == 0 && !state.Quarantined {
					t.Errorf("the endpoint is not blamed: %+v", state)
				}
				for range 3 { // whoever is asked first
					outcomes = both.Read(t.Context(), rows, 0)
					mustBeTrue(t, node, rows, outcomes)
					if outcomes[0].Proof.Endpoint != "node-1" {
						t.Errorf("read at %s", outcomes[0].Proof.Endpoint)
					}
				}
			})
		}
	}
}

func TestANodeWhoseContractsRunAtAnotherBlockIsNotUsed(t *testing.T) {
	node := geth(t, chainID)
	r := readerOf(t, setup(), chainOf(node.URL()))         // in use, so that what follows is no matter of never having been admitted
	rewrite(node, attestation(24, 40, "0000000000000003")) // the head, whatever was asked for
	forgive(r)
	r.fleet.round(t.Context())
	noValue(t, r.Read(t.Context(), goodRows(node, 5), 0))
	if state := r.fleet.pool.States()[0]; !state.Quarantined || !strings.Contains(state.Fault.Text, "arbsys") {
		t.Errorf("%+v", state)
	}
}

// A scan that is cut, or that nobody can have written, fails whole: the rows are read on the next rung.
func TestOfAScanThatIsNotWholeNothingIsUsed(t *testing.T) {
	result := regexp.MustCompile(`"result":"0x([0-9a-f]*)"`)
	node := geth(t, chainID)
	for name, change := range map[string]func(string) string{
		"cut within a row":         func(scan string) string { return scan[:len(scan)-2] },
		"cut in the header":        func(scan string) string { return scan[:100] },
		"without rows":             func(scan string) string { return scan[:128] },
		"nothing":                  func(string) string { return "" },
		"zeros":                    func(scan string) string { return strings.Repeat("0", len(scan)) },
		"trailing bytes":           func(scan string) string { return scan + "00" },
		"more rows than were sent": func(scan string) string { return scan[:56] + "0000ffff" + scan[64:] },
		"another version":          func(scan string) string { return "02" + scan[2:] },
		"an odd digit":             func(scan string) string { return scan + "0" },
		"no digits":                func(scan string) string { return "zz" + scan[2:] },
	} {
		t.Run(name, func(t *testing.T) {
			node.Intercept(nil)
			r := readerOf(t, setup(), chainOf(node.URL()))
			rewrite(node, func(e exchange) string {
				if !strings.Contains(e.request, byOverride) {
					return e.answer
				}
				return result.ReplaceAllStringFunc(e.answer, func(text string) string {
					return `"result":"0x` + change(result.FindStringSubmatch(text)[1]) + `"`
				})
			})
			read(t, node, r, goodRows(node, 10), create)
		})
	}
}

func TestAScanAsksForOneTokenOnceAndKeepsTheOrder(t *testing.T) {
	node := geth(t, chainID)
	rows := goodRows(node, 30) // coin, token, token, proxy, coin, …
	calls, _ := plan(rows)
	input, err := scanInput(override, calls, 300_000)
	if err != nil {
		t.Fatal(err)
	}
	if want := 8 + 4*22 + 20*len(rows); len(input) != want {
		t.Errorf("input of %d bytes, want %d", len(input), want)
	}
	text := hex.EncodeToString(input)
	for _, asset := range []string{rows[1].Asset.Contract, rows[3].Asset.Contract} {
		if n := strings.Count(text, strings.ToLower(asset[2:])); n != 1 {
			t.Errorf("token %s is there %d times", asset, n)
		}
	}
	for i, c := range calls {
		if i > 0 && alike(calls[i-1], c) && calls[i-1].row > c.row {
			t.Error("rows of a token changed their order")
		}
	}
}

func TestTheScannersOwnAddressIsNoToken(t *testing.T) {
	node := geth(t, chainID)
	r := readerOf(t, setup(), chainOf(node.URL()))
	got := codes(r.Read(t.Context(), []fetch.Row{rowOf(token(address(scanner.OverrideAddress()).String()), node.Wallet(1))}, 0))
	if got["row bad_token"] != 1 {
		t.Errorf("%v", got)
	}
}

// On Arbitrum NUMBER is Ethereum's height. Here the node's blocks are shown 1000 higher than NUMBER says, and ArbSys knows.
func TestAnArbitrumChainTakesItsHeightFromArbSys(t *testing.T) {
	for at := override; at <= multicall; at++ {
		node := geth(t, chainID)
		arbitrum(node)
		c := chainOf(node.URL())
		c.Height = "arbsys"
		r := readerOf(t, setupAt(at), c)
		rows := goodRows(node, 100)
		outcomes := r.Read(t.Context(), rows, 0)
		for i, o := range outcomes {
			if o.Err != nil || o.Proof.Height != node.Head()+1000 || o.Proof.Route != at.String() {
				t.Fatalf("%s: row %d: %+v, %+v", at, i, o.Proof, o.Err)
			}
			truth, err := node.Balance(node.Head(), rows[i].Asset.Contract, rows[i].Address)
			if err != nil || o.Raw != truth.String() {
				t.Errorf("%s: row %d: %s, the state has %v (%v)", at, i, o.Raw, truth, err)
			}
		}
		// A chain whose configuration does not say so is not read by contracts.
		if plain := readerOf(t, setupAt(at), chainOf(node.URL())); at < multicall {
			noValue(t, plain.Read(t.Context(), rows, 0))
		}
	}
}

// arbitrum makes the node one whose blocks count 1000 more than NUMBER, and which has ArbSys.
func arbitrum(node *evmdev.Node) {
	const arbSysCode = `"0x0000000000000000000000000000000000000064":{"code":"0x436103e80160005260206000f3"}` // NUMBER + 1000
	asked := regexp.MustCompile(`(eth_getBlockByNumber","params":\[)"0x([0-9a-f]+)"`)
	told := regexp.MustCompile(`"number":"0x([0-9a-f]+)"`)
	shift := func(digits string, by int64) string {
		number, err := strconv.ParseInt(digits, 16, 64)
		if err != nil {
			return digits
		}
		return strconv.FormatInt(max(0, number+by), 16)
	}
	node.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body) // of a client in this process
			text := asked.ReplaceAllStringFunc(string(body), func(m string) string {
				parts := asked.FindStringSubmatch(m)
				return parts[1] + `"0x` + shift(parts[2], -1000) + `"`
			})
			switch {
			case strings.Contains(text, byOverride):
				text = strings.Replace(text, `"}}]`, `"},`+arbSysCode+`}]`, 1)
			case strings.Contains(text, "eth_call") && strings.HasSuffix(text, `}]}`):
				text = strings.TrimSuffix(text, `]}`) + `,{` + arbSysCode + `}]}`
			}
			r.Body = io.NopCloser(strings.NewReader(text))
			e := forward(next, r)
			_, _ = io.WriteString(w, told.ReplaceAllStringFunc(e.answer, func(m string) string {
				return `"number":"0x` + shift(told.FindStringSubmatch(m)[1], 1000) + `"`
			}))
		})
	})
}
