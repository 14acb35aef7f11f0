//go:build unix && !linux

package anvildev

import "syscall"

// attributes cannot bind the process to its owner's life here: an owner that is killed leaves it running.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
