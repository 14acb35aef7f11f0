package pgdev

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// tryLock opens the file, making it if need be, and locks it; nil without an error if somebody else has the lock. It
// is freed when the last process that holds or inherited the file has closed it or died.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	err = errors.Join(err, f.Close())
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, nil
	}
	return nil, fmt.Errorf("lock %s: %w", path, err)
}

// lockName is the file in a temporary directory that is locked as long as its owner or its server lives.
const lockName = "lock"

// mark locks a new temporary directory. The file gets its name only when it is locked: sweep never sees it free.
func mark(dir string) (*os.File, error) {
	aside := filepath.Join(dir, lockName+".new")
	f, err := tryLock(aside)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, fmt.Errorf("%s is locked by another", aside)
	}
	if err := os.Rename(aside, filepath.Join(dir, lockName)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// sweep removes the directories that owners below root left when they were killed. What it may not open or remove is
// another user's and stays.
func sweep(root string) error {
	left, err := filepath.Glob(filepath.Join(root, tempPrefix+"*", lockName))
	if err != nil {
		return err
	}
	for _, path := range left {
		f, err := tryLock(path)
		if err != nil || f == nil {
			continue
		}
		_ = os.RemoveAll(filepath.Dir(path))
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}
