package fetcherevm

import "testing"

// eachWay runs a test for every rung, as the best that may be used.
func eachWay(t *testing.T, test func(t *testing.T, at rung)) {
	t.Helper()
	for at := override; at <= single; at++ {
		t.Run(at.String(), func(t *testing.T) { test(t, at) })
	}
}
