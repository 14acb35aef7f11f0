//go:build unix && !linux

package pgdev

import "syscall"

// attributes cannot bind the server to its owner's life here: an owner killed without Stop leaves it running.
func attributes(a *account) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if a != nil {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return attr
}
