package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// mutant is a guard and how it is disabled: Find, which occurs once in File, becomes Replace, and Test in Package must fail.
type mutant struct {
	Guard   string `json:"guard"`
	File    string `json:"file"`
	Find    string `json:"find"`
	Replace string `json:"replace"`
	Package string `json:"package"`
	Test    string `json:"test"`
}

// limit is how long one test may take; a mutant that makes it hang is found too.
const limit = 2 * time.Minute

// run tries every mutant whose guard contains an argument, all without one. It returns 1 if any survived or could not be tried.
func run(args []string, out io.Writer) int {
	mutants, err := list("mutants")
	if err != nil {
		fmt.Fprintln(out, err)
		return 1
	}
	tried, survived := 0, 0
	for _, m := range mutants {
		if !chosen(m.Guard, args) {
			continue
		}
		tried++
		began := time.Now()
		verdict, ok := m.try()
		if !ok {
			survived++
		}
		fmt.Fprintf(out, "%-9s %5.1fs  %-60s %s\n", verdict, time.Since(began).Seconds(), m.Guard, m.Test)
	}
	fmt.Fprintf(out, "%d mutants, %d killed, %d not\n", tried, tried-survived, survived)
	if survived > 0 || tried == 0 {
		return 1
	}
	return 0
}

// list reads the mutants of a directory: a file for each package, in the order of their names.
func list(dir string) ([]mutant, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("list mutants: %w", err)
	}
	var all []mutant
	for _, path := range files {
		text, err := os.ReadFile(path)
		var some []mutant
		if err == nil {
			err = json.Unmarshal(text, &some)
		}
		if err != nil {
			return nil, fmt.Errorf("read mutants of %s: %w", path, err)
		}
		all = append(all, some...)
	}
	return all, nil
}

func chosen(guard string, args []string) bool {
	for _, arg := range args {
		if strings.Contains(guard, arg) {
			return true
		}
	}
	return len(args) == 0
}

// try runs the test twice: as it is, where it must pass, and with the guard disabled, where it must fail by its own
// judgement: a mutant that does not compile proves nothing.
func (m mutant) try() (verdict string, killed bool) {
	overlay, cleanup, err := m.overlay()
	if err != nil {
		return "BROKEN: " + err.Error(), false
	}
	defer cleanup()
	if out, err := m.test(); err != nil || strings.Contains(out, "no tests to run") {
		return "RED BEFORE: " + tail(out), false
	}
	out, err := m.test("-overlay", overlay)
	switch {
	case err == nil:
		return "SURVIVED", false
	case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]"):
		return "NO BUILD: " + tail(out), false
	}
	return "killed", true
}

func (m mutant) test(flags ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	args := append([]string{"test", "-count=1", "-timeout=60s", "-run", "^" + m.Test + "$"}, flags...)
	out, err := exec.CommandContext(ctx, "go", append(args, m.Package)...).CombinedOutput()
	return string(out), err
}

// overlay writes the changed copy and the file that tells the compiler to read it.
func (m mutant) overlay() (path string, cleanup func(), err error) {
	text, err := os.ReadFile(m.File)
	if err != nil {
		return "", nil, err
	}
	if n := bytes.Count(text, []byte(m.Find)); n != 1 {
		return "", nil, fmt.Errorf("%q occurs %d times in %s", m.Find, n, m.File)
	}
	original, err := filepath.Abs(m.File)
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return "", nil, err
	}
	changed, path := filepath.Join(dir, filepath.Base(m.File)), filepath.Join(dir, "overlay.json")
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	err = errors.Join(err, os.WriteFile(changed, bytes.Replace(text, []byte(m.Find), []byte(m.Replace), 1), 0o644), os.WriteFile(path, list, 0o644))
	return path, func() { _ = os.RemoveAll(dir) }, err // what stays behind is a temporary file
}

func tail(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], " | ")
}
