package fetcherevm

import (
	"bytes"
	"slices"
)

// byToken orders calls by token, the coin first: the scanner sends a token once for all its rows, and what a token breaks can
// be told from the rest. Where an answer belongs is said by the call's row, never by its place.
func byToken(calls []call) {
	slices.SortStableFunc(calls, func(a, b call) int {
		switch {
		case a.native && b.native:
			return 0
		case a.native:
			return -1
		case b.native:
			return 1
		}
		return bytes.Compare(a.token[:], b.token[:])
	})
}

// alike reports whether two calls are of one asset.
func alike(a, b call) bool { return a.native == b.native && (a.native || a.token == b.token) }

// runs divides calls at each change of the asset.
func runs(calls []call) [][]call {
	var list [][]call
	for start := 0; start < len(calls); {
		end := start + 1
		for end < len(calls) && alike(calls[start], calls[end]) {
			end++
		}
		list = append(list, calls[start:end])
		start = end
	}
	return list
}

// halves divides two calls or more in two parts: between two assets while there are two, so that a token which spoils a request is
// alone soon, else in the middle.
func halves(calls []call) (first, second []call) {
	cut, middle := 0, len(calls)/2
	for i := 1; i < len(calls); i++ {
		if !alike(calls[i-1], calls[i]) && (cut == 0 || abs(i-middle) < abs(cut-middle)) {
			cut = i
		}
	}
	if cut == 0 {
		cut = middle
	}
	return calls[:cut], calls[cut:]
}

func abs(n int) int { return max(n, -n) }
