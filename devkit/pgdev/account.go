package pgdev

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user that the server runs as, when that is not the caller: Postgres refuses root.
type account struct {
	name     string
	uid, gid uint32
}

// serverAccount is nil unless the caller is root.
func serverAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			if unknown := user.UnknownUserError(""); errors.As(err, &unknown) {
				continue
			}
			return nil, fmt.Errorf("look up user %s: %w", name, err)
		}
		uid, err := strconv.ParseUint(found.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("id of user %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(found.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("group of user %s: %w", name, err)
		}
		return &account{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return nil, errors.New("postgres does not run as root and there is neither a user postgres nor nobody: run as another user")
}

// own gives a file to the account; a nil account is the caller, who owns it already.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Lchown(path, int(a.uid), int(a.gid))
}

// canEnter reports whether the account may search every directory down to dir, which is absolute and free of links.
func (a *account) canEnter(dir string) (bool, error) {
	if a == nil {
		return true, nil
	}
	for ; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return false, err
		}
		owner, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return false, fmt.Errorf("owner of %s is unknown", dir)
		}
		need := os.FileMode(0o001)
		switch {
		case owner.Uid == a.uid:
			need = 0o100
		case owner.Gid == a.gid:
			need = 0o010
		}
		if info.Mode()&need == 0 {
			return false, nil
		}
		if dir == filepath.Dir(dir) {
			return true, nil
		}
	}
}
