// Command balsync is the operator's tool: it prepares the database and the broker, and checks configurations. It carries
// no server and runs no service.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], console{lookup: os.LookupEnv, out: os.Stdout, err: os.Stderr}))
}
