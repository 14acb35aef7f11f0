package pgdev

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const tempPrefix = "balsync-pg-"

// place is the directory of one server.
type place struct {
	dir  string   // absolute, free of links
	lock *os.File // of a temporary place, which is ours to remove; nil for one that was given
}

// data is the cluster's directory.
func (p *place) data() string { return filepath.Join(p.dir, "data") }

// leave removes a temporary place and keeps one that was given.
func (p *place) leave() error {
	if p.lock == nil {
		return nil
	}
	if err := errors.Join(os.RemoveAll(p.dir), p.lock.Close()); err != nil {
		return fmt.Errorf("remove postgres directory: %w", err)
	}
	return nil
}

// takePlace prepares dir, or a temporary directory if dir is empty, so that user can reach it.
func takePlace(dir string, user *account) (*place, error) {
	if dir == "" {
		return tempPlace(user, os.TempDir(), "/tmp", "/var/tmp")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make postgres directory: %w", err)
	}
	path, err := resolve(dir)
	if err != nil {
		return nil, err
	}
	ok, err := user.canEnter(path)
	if err != nil {
		return nil, fmt.Errorf("check postgres directory: %w", err)
	}
	if !ok {
		return nil, fmt.Errorf("postgres runs as user %s, who cannot enter %s: choose a directory that everyone can enter", user.name, path)
	}
	return &place{dir: path}, nil
}

// tempPlace is a new directory below the first temporary root that user can enter; root's own may be closed to others.
func tempPlace(user *account, roots ...string) (*place, error) {
	var tried []error
	for _, root := range roots {
		p, err := placeBelow(root, user)
		if err == nil {
			return p, nil
		}
		tried = append(tried, err)
	}
	return nil, fmt.Errorf("make temporary postgres directory: %w", errors.Join(tried...))
}

func placeBelow(root string, user *account) (*place, error) {
	path, err := resolve(root)
	if err != nil {
		return nil, err
	}
	ok, err := user.canEnter(path)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("user %s cannot enter %s", user.name, path)
	}
	if err := sweep(path); err != nil {
		return nil, fmt.Errorf("sweep %s: %w", path, err)
	}
	dir, err := os.MkdirTemp(path, tempPrefix)
	if err != nil {
		return nil, err
	}
	lock, err := mark(dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	p := &place{dir: dir, lock: lock}
	if err := user.own(dir); err != nil {
		return nil, errors.Join(err, p.leave())
	}
	return p, nil
}

func resolve(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("resolve postgres directory: %w", err)
	}
	path, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return "", fmt.Errorf("resolve postgres directory: %w", err)
	}
	return path, nil
}
