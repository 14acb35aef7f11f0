package pgdev

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/wait"
)

func TestServerEndsWithAKilledOwnerAndTheNextOneSweeps(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), role+"=owner")
	cmd.Stderr = t.Output()
	if _, err := cmd.StdinPipe(); err != nil { // open: the owner waits for its end
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url, dir, _ := strings.Cut(strings.TrimSpace(line), " ")

	if err := sweep(filepath.Dir(dir)); err != nil {
		t.Fatal(err)
	}
	if !answers(t, url) || !exists(filepath.Join(dir, "data")) {
		t.Error("the directory of a living owner was swept")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	wait.For(t, 30*time.Second, "the server is gone", func() bool { return !answers(t, url) })
	wait.For(t, 30*time.Second, "the directory is swept", func() bool {
		if err := sweep(filepath.Dir(dir)); err != nil {
			t.Fatal(err)
		}
		return !exists(dir)
	})
}

func TestServerIsInAProcessGroupOfItsOwn(t *testing.T) {
	if attr := attributes(nil); !attr.Setpgid || attr.Credential != nil {
		t.Errorf("attributes %+v: want a group of its own and the caller's rights", attr)
	}
	attr := attributes(&account{name: "x", uid: 7, gid: 8})
	if attr.Credential == nil || attr.Credential.Uid != 7 || attr.Credential.Gid != 8 {
		t.Errorf("credential %+v, want 7 and 8", attr.Credential)
	}
}
