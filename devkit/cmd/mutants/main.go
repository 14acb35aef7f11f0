// Command mutants shows that the tests can fail: it disables one guard of the code at a time and demands that the test
// named for it turns red. It reads the files of mutants/ at the root of the repository, one
// for each package.
//
// A guard is disabled by an overlay (the compiler reads a changed copy of one file), so the tree itself is never touched.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdout)) }
