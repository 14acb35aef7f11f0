package claimer

import (
	"embed"
	"slices"
	"strconv"
	"strings"

	"github.com/balance-sync/balance-sync/shared/wire"
)

//go:embed *.sql
var files embed.FS

// text is a file of this package; one that is missing does not compile.
func text(name string) string {
	sql, err := files.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return string(sql)
}

// rungs are the sizes that a claim may have beside the configured ones. LIMIT is a literal, since the planner guesses at a parameter;
// a few sizes keep the statements few.
var rungs = []int{10, 20, 50, 100, 200, 500, 1000, 2000}

// ladder is a statement rendered for each size, ascending.
type ladder []rung

type rung struct {
	rows int
	sql  string
}

// newLadder renders template for the rungs and the given sizes.
func newLadder(template string, sizes ...int) ladder {
	all := append(slices.Clone(rungs), sizes...)
	slices.Sort(all)
	var l ladder
	for _, rows := range slices.Compact(all) {
		l = append(l, rung{rows, strings.ReplaceAll(template, "{rows}", strconv.Itoa(rows))})
	}
	return l
}

// atMost is the largest rung up to rows, or the smallest of all.
func (l ladder) atMost(rows int) rung {
	best := l[0]
	for _, r := range l {
		if r.rows <= rows {
			best = r
		}
	}
	return best
}

// leaseTemplate is lease.sql for one lane: without the lines that are marked as the other's.
func leaseTemplate(lane wire.Lane) string {
	other := wire.Fast
	if lane == wire.Fast {
		other = wire.Sweep
	}
	var kept strings.Builder
	for line := range strings.Lines(text("lease.sql")) {
		if !strings.HasSuffix(strings.TrimSpace(line), "-- ["+string(other)+"]") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}
