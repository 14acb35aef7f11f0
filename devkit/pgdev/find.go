package pgdev

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var errNoPrograms = errors.New("no PostgreSQL server programs (initdb and postgres) found")

// wellKnown is where packages put the server's programs without adding them to PATH.
var wellKnown = []string{
	"/usr/lib/postgresql/*/bin",                          // Debian, Ubuntu
	"/usr/pgsql-*/bin",                                   // RHEL, from postgresql.org
	"/usr/lib/postgresql*/bin",                           // SUSE
	"/usr/libexec/postgresql*",                           // Alpine
	"/opt/homebrew/opt/postgresql*/bin",                  // Homebrew on Apple silicon
	"/usr/local/opt/postgresql*/bin",                     // Homebrew on Intel
	"/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
	"/opt/local/lib/postgresql*/bin",                     // MacPorts
	"/usr/local/pgsql/bin",                               // built from source
	"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",     // Homebrew on Linux
}

// programs is the directory of initdb and postgres: found, else installed, else fetched, as far as opt allows.
func programs(ctx context.Context, opt Options) (string, error) {
	bin, err := search(opt.BinDirs)
	if !errors.Is(err, errNoPrograms) {
		return bin, err
	}
	how := installer()
	if opt.Install {
		if err := how.run(ctx, opt.Log); err != nil {
			return "", err
		}
		return search(opt.BinDirs)
	}
	if opt.Fetch && os.Geteuid() != 0 {
		bin, err := fetch(ctx, opt.Log)
		if err == nil {
			return bin, nil
		}
		return "", unfetched(err, how)
	}
	return "", fmt.Errorf("%w: %s", errNoPrograms, how.advice())
}

// unfetched keeps to one sentence: a failed download may come with a page of log.
func unfetched(cause error, how packager) error {
	line, _, _ := strings.Cut(cause.Error(), "\n")
	return fmt.Errorf("%w and they cannot be fetched (%s): %s", errNoPrograms, line, how.advice())
}

// search is the first directory that holds both programs. nil dirs means PATH and then the well-known places, the
// newest version first.
func search(dirs []string) (string, error) {
	if dirs == nil {
		dirs = filepath.SplitList(os.Getenv("PATH"))
		for _, pattern := range wellKnown {
			found, err := filepath.Glob(pattern)
			if err != nil {
				return "", fmt.Errorf("look for postgres in %s: %w", pattern, err)
			}
			dirs = append(dirs, newestFirst(found)...)
		}
	}
	for _, dir := range dirs {
		if executable(filepath.Join(dir, "initdb")) && executable(filepath.Join(dir, "postgres")) {
			return filepath.Abs(dir)
		}
	}
	return "", errNoPrograms
}

var number = regexp.MustCompile(`\d+`)

// newestFirst orders directories that differ in a version: 16 before 9.6, and one without a number last.
func newestFirst(dirs []string) []string {
	version := func(dir string) int {
		n, err := strconv.Atoi(number.FindString(dir))
		if err != nil {
			return 0
		}
		return n
	}
	slices.SortStableFunc(dirs, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
	return dirs
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
