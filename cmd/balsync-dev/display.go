package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"
)

// display shows a run. With JSON asked for, standard output carries the one object and nothing else, and the rest goes to
// standard error.
type display struct {
	out, notes io.Writer
	json       bool
	live       bool // notes is a terminal: the table is drawn over itself
	drawn      int  // lines of the table that stand above the cursor
	last       time.Time
}

func newDisplay(c console, json bool) *display {
	d := &display{out: c.out, notes: c.out, json: json}
	if json {
		d.notes = c.err
	}
	to := d.notes
	if l, ok := to.(*locked); ok {
		to = l.to
	}
	if file, ok := to.(*os.File); ok {
		d.live = term.IsTerminal(int(file.Fd()))
	}
	return d
}

// line says what was started and where it is.
func (d *display) line(what, where string) { fmt.Fprintf(d.notes, "%-14s %s\n", what, where) }

// progress draws the table of chains: over the last one on a terminal, else a line a chain every ten seconds.
func (d *display) progress(s *stack, counts map[string]count) {
	interval := 10 * time.Second
	if d.live {
		interval = 0
	}
	if time.Since(d.last) < interval {
		return
	}
	d.last = time.Now()
	if d.drawn > 0 {
		fmt.Fprintf(d.notes, "\x1b[%dA\x1b[J", d.drawn)
	}
	table := &strings.Builder{}
	w := tabwriter.NewWriter(table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%.0fs\trows\tsynced\terrors\thead\trequests\t\n", time.Since(s.began).Seconds())
	for _, c := range s.chains {
		n, head, requests := counts[c.name], "-", "-"
		if c.node != nil {
			head, requests = fmt.Sprint(c.node.Head()), fmt.Sprint(c.node.Requests())
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\t%s\t\n", c.name, n.rows, n.synced, n.errors, head, requests)
	}
	_ = w.Flush() // into a strings.Builder, which does not fail
	fmt.Fprint(d.notes, table)
	if d.live {
		d.drawn = strings.Count(table.String(), "\n")
	}
}

// final shows the result.
func (d *display) final(r report, reached milestone) error {
	if d.json {
		encoder := json.NewEncoder(d.out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	fmt.Fprintln(d.out) // past the ^C of an interrupt
	w := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "chain\trows\tsynced\terrors\twrong\tunverified\trequests\theight\t")
	for _, c := range r.Chains {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", c.Name, c.Rows, c.Synced, c.Errors, c.Wrong, c.unverified, c.RPCRequests, c.Height)
	}
	fmt.Fprintf(w, "all\t%d\t%d\t%d\t%d\t%d\t%d\t\t\n", r.Rows, r.Synced, r.Errors, r.Wrong, r.Unverified, r.RPCRequests)
	if err := w.Flush(); err != nil {
		return err
	}
	when := fmt.Sprintf("not all synced after %.1f s", r.Seconds)
	if reached.synced {
		when = fmt.Sprintf("all synced after %.1f s", r.Seconds)
	}
	compared := "every value was compared with its chain"
	if r.Unverified > 0 { // and there may be built-in chains beside
		compared = fmt.Sprintf("%d values are of chains that this command does not run, and were compared with nothing", r.Unverified)
	}
	_, err := fmt.Fprintf(d.out, "%s; %s; %d errors, %d expected\n", when, compared, r.Errors, r.ExpectedErrors)
	return err
}
