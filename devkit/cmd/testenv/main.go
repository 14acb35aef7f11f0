// Command testenv runs a command, usually go test, with one private Postgres for all of it:
//
//	testenv -- go test ./...
//
// The command finds the server's URL in BALSYNC_TEST_POSTGRES (see pgdev.Main). If that is set already, no server is
// started. The exit code is the command's; 1 if there is no Postgres, 2 for a wrong usage, 126 if the command cannot
// be run, 128 and the signal's number if a signal ended it.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Stderr))
}
