package fetch

import "slices"

// Call is a balance that a Reader asks a node for. Compare orders calls by their asset, the coin first; 0 says that both are of one.
type Call[C any] interface{ Compare(other C) int }

// ByAsset orders calls by asset, the coin first: the scanner sends a token once for all its rows, and what a token breaks can be told
// from the rest. Calls of one asset keep their order. Where an answer belongs is said by the call's row, never by its place.
func ByAsset[C Call[C]](calls []C) { slices.SortStableFunc(calls, C.Compare) }

// Alike reports whether two calls are of one asset.
func Alike[C Call[C]](a, b C) bool { return a.Compare(b) == 0 }

// Runs divides calls at each change of the asset.
func Runs[C Call[C]](calls []C) [][]C {
	var list [][]C
	for start := 0; start < len(calls); {
		end := start + 1
		for end < len(calls) && Alike(calls[start], calls[end]) {
			end++
		}
		list = append(list, calls[start:end])
		start = end
	}
	return list
}

// Halves divides two calls or more in two parts: between two assets while there are two, so that a token which spoils a request is
// alone soon, else in the middle.
func Halves[C Call[C]](calls []C) (first, second []C) {
	cut, middle := 0, len(calls)/2
	for i := 1; i < len(calls); i++ {
		if !Alike(calls[i-1], calls[i]) && (cut == 0 || abs(i-middle) < abs(cut-middle)) {
			cut = i
		}
	}
	if cut == 0 {
		cut = middle
	}
	return calls[:cut], calls[cut:]
}

func abs(n int) int { return max(n, -n) }
