package pgdev

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
)

// TestURL is the environment variable that names the server of a test run: the URL of its maintenance database, as a
// user who may create databases. Main sets it unless it is set.
const TestURL = "BALSYNC_TEST_POSTGRES"

// Main runs the tests of a package against the server of TestURL, or else against one started for this test binary
// and stopped after it. It returns the exit code:
//
//	func TestMain(m *testing.M) { os.Exit(pgdev.Main(m)) }
func Main(m *testing.M) int {
	if os.Getenv(TestURL) != "" {
		return m.Run()
	}
	code, err := withServer(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

// withServer is run's exit code, and an error if the server did not start or did not live until its end.
func withServer(run func() int) (code int, err error) {
	s, err := Start(context.Background(), Options{Fetch: true})
	if err != nil {
		return 1, err
	}
	if err := os.Setenv(TestURL, s.URL()); err != nil {
		return 1, errors.Join(err, s.Stop())
	}
	code = run()
	return code, s.Stop()
}
