package house_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const prefix = "github.com/balance-sync/balance-sync/"

// root is the repository, seen from this package.
const root = "../.."

// pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath                string
	Imports                   []string
	TestImports, XTestImports []string
	Deps                      []string
	Standard                  bool
}

// list runs go list at the root of the workspace.
func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,TestImports,XTestImports,Deps,Standard"}, args...)...)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var p pkg
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		t.Fatalf("go list %v found nothing", args)
	}
	return all
}

// layer is the part of the repository that a package of ours belongs to: "shared", "devkit", "services/writer", "cmd/balsync".
func layer(path string) string {
	parts := strings.Split(strings.TrimPrefix(path, prefix), "/")
	if parts[0] == "services" || parts[0] == "cmd" {
		return strings.Join(parts[:2], "/")
	}
	return parts[0]
}

// mayImport says which layers a layer's code may import, and which more its tests may.
func mayImport(from, to string, inTest bool) bool {
	if from == to {
		return true
	}
	switch {
	case to == "devkit":
		return from == "cmd/balsync-dev" || from == "bench" || inTest
	case from == "shared", from == "devkit":
		return false
	case strings.HasPrefix(from, "services/"):
		return to == "shared"
	case strings.HasPrefix(from, "cmd/"), from == "bench":
		return to == "shared" || strings.HasPrefix(to, "services/")
	}
	return false
}

func TestImportsRunOneWay(t *testing.T) {
	for _, p := range list(t, "work") {
		check := func(imports []string, inTest bool) {
			for _, path := range imports {
				if strings.HasPrefix(path, prefix) && !mayImport(layer(p.ImportPath), layer(path), inTest) {
					t.Errorf("%s must not import %s (in a test: %t)", p.ImportPath, path, inTest)
				}
			}
		}
		check(p.Imports, false)
		check(p.TestImports, true)
		check(p.XTestImports, true)
	}
}

// Nothing that we ship can sign or hold keys, and no service carries a server of the dev stack.
func TestNoServiceLinksASignerOrAServer(t *testing.T) {
	const geth, tron = "github.com/ethereum/go-ethereum/", "github.com/fbsobreira/gotron-sdk/"
	denied := []string{geth + "accounts/keystore", geth + "accounts/external", geth + "accounts/usbwallet", geth + "signer", geth + "node", geth + "eth",
		tron + "pkg/client", tron + "pkg/keys", tron + "pkg/keystore", tron + "pkg/signer", tron + "pkg/store",
		"github.com/tyler-smith/go-bip39", "github.com/nats-io/nats-server", prefix + "devkit"}
	// A prefix of the list that is a package of its own in go-ethereum and harmless.
	allowed := []string{geth + "ethclient", geth + "ethdb", geth + "eth/tracers"}
	binaries := []string{"./services/claimer/cmd/claimer", "./services/fetcher-evm/cmd/fetcher-evm", "./services/fetcher-tron/cmd/fetcher-tron", "./services/writer/cmd/writer", "./cmd/balsync"}
	for _, p := range list(t, binaries...) {
		for _, dep := range p.Deps {
			for _, bad := range denied {
				if (dep == bad || strings.HasPrefix(dep, bad+"/")) && !slices.Contains(allowed, dep) {
					t.Errorf("%s links %s", p.ImportPath, dep)
				}
			}
		}
	}
}

// sources are the .go files of the repository.
func sources(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "node_modules" || entry.Name() == "bin") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files[strings.TrimPrefix(path, root+"/")] = string(text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// A program that was built in its own directory, or a dump, stays in the history for good.
func TestNothingBuiltIsCommitted(t *testing.T) {
	const most = 512 << 10
	cmd := exec.Command("git", "ls-files", "-z")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	files := strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 })
	if len(files) == 0 {
		t.Fatal("git tracks no file")
	}
	for _, path := range files {
		info, err := os.Stat(filepath.Join(root, path))
		switch {
		case errors.Is(err, os.ErrNotExist): // removed, not committed yet
		case err != nil:
			t.Error(err)
		case info.Size() > most:
			t.Errorf("%s has %d bytes, %d are the most", path, info.Size(), most)
		}
	}
}

func TestFilesAreSmall(t *testing.T) {
	for path, text := range sources(t) {
		if lines := strings.Count(text, "\n"); lines > 500 {
			t.Errorf("%s has %d lines, 500 are the most", path, lines)
		}
	}
}

func TestHouseStyle(t *testing.T) {
	// The words are put together here, so that this file does not find itself.
	rules := []struct {
		name string
		find *regexp.Regexp
		only func(path string) bool
	}{
		{"sleeps in a test", regexp.MustCompile(`time\.` + `Sleep\(`), isTest},
		{"skips a test", regexp.MustCompile(`\bt\.` + `Skip`), isTest},
		{"formats a log message", regexp.MustCompile(`\.Msg` + `f\(`), always},
		{"has a task left to do", regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`), always},
		{"has an init function", regexp.MustCompile(`(?m)^func in` + `it\(\)`), always},
		{"says failed to", regexp.MustCompile(`Errorf\("(?i:fail` + `ed to)`), always},
	}
	for path, text := range sources(t) {
		for _, rule := range rules {
			if at := rule.find.FindStringIndex(text); at != nil && rule.only(path) {
				t.Errorf("%s:%d %s", path, 1+strings.Count(text[:at[0]], "\n"), rule.name)
			}
		}
	}
}

func isTest(path string) bool { return strings.HasSuffix(path, "_test.go") }
func always(string) bool      { return true }

func TestEveryMainIsOneStatement(t *testing.T) {
	body := regexp.MustCompile(`(?s)\nfunc main\(\) \{(.*?)\n?\}`)
	mains := 0
	for path, text := range sources(t) {
		if match := body.FindStringSubmatch(text); match != nil && !isTest(path) {
			mains++
			if lines := strings.Split(strings.TrimSpace(match[1]), "\n"); len(lines) != 1 {
				t.Errorf("%s: main has %d lines", path, len(lines))
			}
		}
	}
	if mains == 0 {
		t.Error("found no main at all")
	}
}

// Every exported name of shared has a doc comment; go vet does not ask for it.
func TestSharedIsDocumented(t *testing.T) {
	exported := regexp.MustCompile(`(?m)^(?:func (?:\([^)]*\) )?|type )([A-Z]\w*)`)
	for path, text := range sources(t) {
		if !strings.HasPrefix(path, "shared/") || isTest(path) {
			continue
		}
		for _, at := range exported.FindAllStringSubmatchIndex(text, -1) {
			before := strings.Split(text[:at[0]], "\n")
			if above := before[len(before)-2]; !strings.HasPrefix(above, "//") {
				t.Errorf("%s: %s has no doc comment", path, text[at[2]:at[3]])
			}
		}
	}
}
