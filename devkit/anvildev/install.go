package anvildev

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// What is installed, and nothing else: npm ci goes by the lock file and checks every digest in it.
//
//go:embed npm/package.json npm/package-lock.json
var pinned embed.FS

// platforms are the package of the program by GOOS and GOARCH.
var platforms = map[string]string{
	"linux/amd64": "linux-amd64", "linux/arm64": "linux-arm64", "darwin/amd64": "darwin-amd64", "darwin/arm64": "darwin-arm64",
}

// program gives the path of anvil in the user's cache and installs it if it is not there yet.
func program(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find cache: %w", err)
	}
	return programIn(ctx, filepath.Join(cache, "balance-sync"), "npm")
}

// programIn installs below root, by an npm of that name. One process at a time installs; a crash while it does leaves the half
// aside, where the next one starts over.
func programIn(ctx context.Context, root, npm string) (string, error) {
	platform, known := platforms[runtime.GOOS+"/"+runtime.GOARCH]
	if !known {
		return "", fmt.Errorf("there is no anvil for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	lockFile, err := pinned.ReadFile("npm/package-lock.json")
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(lockFile)
	dir := filepath.Join(root, "anvil-"+hex.EncodeToString(digest[:6]))
	path := filepath.Join(dir, "node_modules", "@foundry-rs", "anvil-"+platform, "bin", "anvil")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(ctx, dir+".lock")
	if err != nil {
		return "", fmt.Errorf("wait for another installation: %w", err)
	}
	_, err = os.Stat(path) // by whoever had the lock before
	if err != nil {
		err = install(ctx, dir, npm)
	}
	if err = errors.Join(err, unlock()); err != nil {
		return "", fmt.Errorf("install anvil, for which npm and its registry are needed: %w", err)
	}
	return path, nil
}

// install runs npm aside of dir and renames the whole once it is there. No script of a package runs: the program is in the package.
func install(ctx context.Context, dir, npm string) error {
	aside := dir + ".new"
	if err := errors.Join(os.RemoveAll(aside), os.RemoveAll(dir), os.MkdirAll(aside, 0o755)); err != nil {
		return err
	}
	for _, name := range []string{"package.json", "package-lock.json"} {
		data, err := pinned.ReadFile("npm/" + name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(aside, name), data, 0o600); err != nil {
			return err
		}
	}
	command := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	command.Dir = aside
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w: %s", err, strings.TrimSpace(string(output)))
	}
	return os.Rename(aside, dir)
}
