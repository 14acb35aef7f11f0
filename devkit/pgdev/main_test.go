package pgdev

import (
	"context"
	"fmt"
	"io"
	"os"
	"testing"
)

// role is the environment variable by which this test binary plays another process instead of running its tests.
const role = "PGDEV_TEST_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(role) == "owner" {
		os.Exit(owner())
	}
	os.Exit(Main(m))
}

// owner starts a server, prints its URL and its directory, and then does nothing until it is killed.
func owner() int {
	s, err := Start(context.Background(), Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(s.URL(), s.place.dir)
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}
