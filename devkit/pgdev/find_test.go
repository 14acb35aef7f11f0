package pgdev

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	embedded "github.com/fergusstrange/embedded-postgres"
)

// script writes a program that sh runs.
func script(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestSearchTakesTheFirstDirectoryWithBothPrograms(t *testing.T) {
	root := t.TempDir()
	at := func(name string) string { return filepath.Join(root, name) }
	script(t, at("client"), "initdb", "")
	script(t, at("plain"), "initdb", "")
	script(t, at("whole"), "initdb", "")
	script(t, at("whole"), "postgres", "")
	script(t, at("later"), "initdb", "")
	script(t, at("later"), "postgres", "")
	if err := os.WriteFile(filepath.Join(at("plain"), "postgres"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := search([]string{at("missing"), at("client"), at("plain"), at("whole"), at("later")})
	if err != nil || got != at("whole") {
		t.Errorf("found %q, %v; want %q", got, err, at("whole"))
	}
}

func TestSearchPrefersPATH(t *testing.T) {
	dir := t.TempDir()
	script(t, dir, "initdb", "")
	script(t, dir, "postgres", "")
	t.Setenv("PATH", "/nonexistent"+string(os.PathListSeparator)+dir)
	if got, err := search(nil); err != nil || got != dir {
		t.Errorf("found %q, %v; want %q", got, err, dir)
	}
}

func TestNewestVersionIsFirst(t *testing.T) {
	dirs := []string{"/usr/lib/postgresql/9.6/bin", "/usr/lib/postgresql/bin", "/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/16/bin"}
	want := []string{dirs[3], dirs[2], dirs[0], dirs[1]}
	if got := newestFirst(slices.Clone(dirs)); !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

func TestNoProgramsIsOneSentenceWithTheCommand(t *testing.T) {
	for tool, want := range map[string]string{
		"apt-get": "apt-get install -y postgresql`",
		"dnf":     "dnf install -y postgresql-server`",
		"apk":     "apk add postgresql`",
		"brew":    "`brew install postgresql@15`",
		"none":    "install PostgreSQL 15 or newer and put its bin directory into PATH",
	} {
		t.Run(tool, func(t *testing.T) {
			path := t.TempDir()
			script(t, path, tool, "")
			t.Setenv("PATH", path)
			_, err := Start(within(t), Options{BinDirs: []string{t.TempDir()}})
			if !errors.Is(err, errNoPrograms) {
				t.Fatalf("error %v, want %v", err, errNoPrograms)
			}
			if text := err.Error(); !strings.HasSuffix(text, want) || strings.Contains(text, "\n") {
				t.Errorf("said %q, want one sentence that ends with %q", text, want)
			}
		})
	}
}

func TestEmptyListOfDirectoriesSearchesNowhere(t *testing.T) {
	if got, err := search([]string{}); !errors.Is(err, errNoPrograms) {
		t.Errorf("found %q, %v; want none", got, err)
	}
}

// withInstaller puts an apt-get that runs text first in PATH, and a sudo for those who need one.
func withInstaller(t *testing.T, text string) {
	dir := t.TempDir()
	script(t, dir, "apt-get", text)
	script(t, dir, "sudo", `exec "$@"`)
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestInstallRunsTheCommandAndSearchesAgain(t *testing.T) {
	bin := t.TempDir()
	withInstaller(t, `echo "running $*"; [ "$1" = install ] || exit 0
		for p in initdb postgres; do echo "#!/bin/sh" >`+bin+`/$p; chmod 755 `+bin+`/$p; done`)
	var log strings.Builder
	got, err := programs(within(t), Options{BinDirs: []string{bin}, Install: true, Log: &log})
	if err != nil || got != bin {
		t.Errorf("found %q, %v; want %q", got, err, bin)
	}
	if want := "running update\nrunning install -y postgresql\n"; log.String() != want {
		t.Errorf("log %q, want %q", log.String(), want)
	}
}

func TestFailedInstallSaysWhatTheInstallerSaid(t *testing.T) {
	withInstaller(t, `echo "no space left" >&2; exit 100`)
	_, err := programs(within(t), Options{BinDirs: []string{t.TempDir()}, Install: true, Log: io.Discard})
	if err == nil || !strings.Contains(err.Error(), "exit status 100") || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("error %v, want the status and the words of the installer", err)
	}
}

func TestInstallThatBringsNoProgramsIsAnError(t *testing.T) {
	withInstaller(t, "")
	_, err := programs(within(t), Options{BinDirs: []string{t.TempDir()}, Install: true, Log: io.Discard})
	if !errors.Is(err, errNoPrograms) {
		t.Errorf("error %v, want %v", err, errNoPrograms)
	}
}

func TestInstallWithoutAnInstallerIsTheSameSentence(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := programs(within(t), Options{BinDirs: []string{t.TempDir()}, Install: true, Log: io.Discard})
	if !errors.Is(err, errNoPrograms) || !strings.Contains(err.Error(), "install PostgreSQL") {
		t.Errorf("error %v, want the sentence without a command", err)
	}
}

func TestFetchedProgramsAreTakenFromTheCache(t *testing.T) {
	dir := t.TempDir()
	bin := filepath.Join(dir, "unpacked", "bin")
	script(t, bin, "initdb", "")
	script(t, bin, "postgres", "")
	got, err := fetchInto(within(t), dir, unreachable(t), io.Discard)
	if err != nil || got != bin {
		t.Errorf("fetched %q, %v; want %q", got, err, bin)
	}
}

// unreachable is a source that cannot be asked. The package leaves its log in the temporary directory if it fails.
func unreachable(t *testing.T) embedded.Config {
	t.Setenv("TMPDIR", t.TempDir())
	return embedded.DefaultConfig().BinaryRepositoryURL("http://127.0.0.1:1")
}

func TestHalfUnpackedProgramsAreNotTaken(t *testing.T) {
	dir := t.TempDir()
	bin := filepath.Join(dir, "unpacked.new", "bin")
	script(t, bin, "initdb", "")
	script(t, bin, "postgres", "")
	script(t, bin, "pg_ctl", "")
	if got, err := fetchInto(within(t), dir, unreachable(t), io.Discard); err == nil {
		t.Errorf("fetched %q from what a crash left", got)
	}
}

func TestFailedFetchStillNamesTheCommandInOneSentence(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	defer gone.Close()
	t.Setenv("TMPDIR", t.TempDir())
	_, err := fetchInto(within(t), t.TempDir(), embedded.DefaultConfig().BinaryRepositoryURL(gone.URL), io.Discard)
	if err == nil {
		t.Fatal("no error from a source without the programs")
	}
	err = unfetched(errors.Join(err, errors.New("a page of log")), packagers[0])
	text := err.Error()
	if !errors.Is(err, errNoPrograms) || strings.Contains(text, "\n") ||
		!strings.Contains(text, "no version found") || !strings.HasSuffix(text, "apt-get install -y postgresql`") {
		t.Errorf("said %q, want one sentence with the cause and the command", text)
	}
}

func TestFetchWaitsForAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	other, err := tryLock(filepath.Join(dir, lockName))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*pollEvery)
	defer cancel()
	if _, err := fetchInto(ctx, dir, unreachable(t), io.Discard); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v while another downloads, want %v", err, context.DeadlineExceeded)
	}
	done := make(chan error, 1)
	go func() {
		lock, err := awaitLock(within(t), filepath.Join(dir, lockName))
		done <- errors.Join(err, lock.Close())
	}()
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("error %v once the other is done", err)
		}
	case <-time.After(time.Minute):
		t.Error("waits although the other is done")
	}
}
