package pgdev

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

var errNoBouncer = errors.New("no pgbouncer found")

// bouncerDirs are where packages put the program, which users' PATH may not name.
var bouncerDirs = []string{"/usr/sbin", "/usr/bin", "/opt/homebrew/bin", "/usr/local/bin"}

// bouncerCommands install it on Debian and its kin. The list of packages is fetched only where the one at hand is missing or too old.
var bouncerCommands = [][]string{
	{"apt-get", "install", "-y", "--no-install-recommends", "pgbouncer"},
	{"apt-get", "update"},
}

// bouncerProgram is the path of pgbouncer: found, else installed. Several test binaries may get here at once: one installs, the others
// find it when their turn comes.
func bouncerProgram(ctx context.Context, opt BouncerOptions) (string, error) {
	path := findBouncer(opt.BinDirs)
	if path != "" {
		return path, nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return "", fmt.Errorf("%w: install it with `sudo apt-get update && sudo apt-get install -y pgbouncer`, or put it into PATH", errNoBouncer)
	}
	lock, err := waitLock(ctx, filepath.Join(os.TempDir(), tempPrefix+"install.lock"))
	if err != nil {
		return "", fmt.Errorf("install pgbouncer: %w", err)
	}
	defer func() { _ = lock.Close() }() // closing frees it; the process's end would too
	if path := findBouncer(opt.BinDirs); path != "" {
		return path, nil
	}
	install, update := bouncerCommands[0], bouncerCommands[1]
	if err := runInstaller(ctx, opt, install); err != nil {
		if err := runInstaller(ctx, opt, update); err != nil {
			return "", err
		}
		if err := runInstaller(ctx, opt, install); err != nil {
			return "", err
		}
	}
	if path := findBouncer(opt.BinDirs); path != "" {
		return path, nil
	}
	return "", fmt.Errorf("%w although its package is installed", errNoBouncer)
}

func findBouncer(dirs []string) string {
	if dirs == nil {
		dirs = append(filepath.SplitList(os.Getenv("PATH")), bouncerDirs...)
	}
	for _, dir := range dirs {
		if path := filepath.Join(dir, "pgbouncer"); executable(path) {
			return path
		}
	}
	return ""
}

// runInstaller runs one command without asking anybody anything.
func runInstaller(ctx context.Context, opt BouncerOptions, argv []string) error {
	last := &tail{next: opt.Log}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	cmd.Stdout, cmd.Stderr = last, last
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("install pgbouncer by `%s`: %w%s", cmd, err, last.quoted())
	}
	return nil
}

// waitLock takes the lock of a file as soon as nobody else has it.
func waitLock(ctx context.Context, path string) (*os.File, error) {
	tick := time.NewTicker(10 * pollEvery)
	defer tick.Stop()
	for {
		if f, err := tryLock(path); err != nil || f != nil {
			return f, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for another installer: %w", ctx.Err())
		case <-tick.C:
		}
	}
}
