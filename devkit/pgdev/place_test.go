package pgdev

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// stranger is a user who owns nothing here.
var stranger = &account{name: "stranger", uid: 4_000_001, gid: 4_000_002}

func mkdir(t *testing.T, mode os.FileMode, path ...string) string {
	t.Helper()
	dir := filepath.Join(path...)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, mode); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestEnteringNeedsEveryDirectoryOnTheWay(t *testing.T) {
	root := openDir(t)
	open := mkdir(t, 0o755, root, "open")
	shut := mkdir(t, 0o700, root, "shut")
	below := mkdir(t, 0o777, shut, "below")
	group := mkdir(t, 0o710, root, "group")
	me := &account{name: "me", uid: uint32(os.Geteuid()), gid: uint32(os.Getegid())}
	colleague := &account{name: "colleague", uid: stranger.uid, gid: me.gid}
	for name, c := range map[string]struct {
		who  *account
		dir  string
		want bool
	}{
		"the caller":                    {nil, below, true},
		"open to all":                   {stranger, open, true},
		"shut":                          {stranger, shut, false},
		"open below shut":               {stranger, below, false},
		"shut to others, by its owner":  {me, below, true},
		"open to the group":             {colleague, group, true},
		"open to the group, a stranger": {stranger, group, false},
	} {
		if got, err := c.who.canEnter(c.dir); err != nil || got != c.want {
			t.Errorf("%s: %v, %v; want %v", name, got, err, c.want)
		}
	}
}

// Item 6 of what is easily missed: a directory below root's home looks fine until Postgres runs as another user.
func TestDirectoryThatTheServersUserCannotEnterIsRefused(t *testing.T) {
	shut := mkdir(t, 0o700, openDir(t), "root")
	link := filepath.Join(openDir(t), "link")
	if err := os.Symlink(shut, link); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{filepath.Join(shut, "pg"), filepath.Join(link, "pg")} {
		_, err := takePlace(dir, stranger)
		if err == nil || !strings.Contains(err.Error(), "user stranger, who cannot enter "+shut) {
			t.Errorf("error %v, want one that names the user and %s", err, shut)
		}
	}
}

func TestTemporaryDirectoryPassesOverAShutRoot(t *testing.T) {
	shut, open := mkdir(t, 0o700, openDir(t), "root"), openDir(t)
	who := *stranger
	who.gid = uint32(os.Getegid())
	who.uid = uint32(os.Geteuid()) // so that this test can give it a directory without being root
	if err := os.Chmod(shut, 0o000); err != nil {
		t.Fatal(err)
	}
	p, err := tempPlace(&who, shut, filepath.Join(open, "missing"), open)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(p.dir) != open {
		t.Errorf("%s, want one below %s", p.dir, open)
	}
	if err := p.leave(); err != nil || exists(p.dir) {
		t.Errorf("leave: %v, still there: %v", err, exists(p.dir))
	}
}

func TestTemporaryDirectoryNowhereNamesEachRoot(t *testing.T) {
	missing := filepath.Join(openDir(t), "missing")
	shut := mkdir(t, 0o700, openDir(t), "root")
	_, err := tempPlace(stranger, missing, shut)
	if err == nil || !strings.Contains(err.Error(), missing) || !strings.Contains(err.Error(), "cannot enter "+shut) {
		t.Errorf("error %v, want both roots", err)
	}
}

func TestSweepTakesOnlyWhatADeadOwnerLeft(t *testing.T) {
	root := openDir(t)
	living, err := tempPlace(nil, root)
	if err != nil {
		t.Fatal(err)
	}
	dead := mkdir(t, 0o700, root, tempPrefix+"dead")
	for _, name := range []string{lockName, "data"} {
		if err := os.WriteFile(filepath.Join(dead, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	unmarked := mkdir(t, 0o700, root, tempPrefix+"just-made")
	other := mkdir(t, 0o700, root, "other")
	if err := sweep(root); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]bool{living.dir: true, dead: false, unmarked: true, other: true} {
		if exists(dir) != want {
			t.Errorf("%s exists: %v, want %v", dir, !want, want)
		}
	}
	if err := living.leave(); err != nil {
		t.Error(err)
	}
}
