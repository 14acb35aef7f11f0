// Command balsync-dev runs the whole pipeline in one process, on a machine with nothing but Go: a private Postgres, an
// embedded NATS, real chains with balances that move, all services, and at the end a comparison of every row with its
// chain. It composes the same Run functions that production runs.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], console{lookup: os.LookupEnv, out: os.Stdout, err: os.Stderr}))
}
