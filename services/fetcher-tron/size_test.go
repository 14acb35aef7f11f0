package fetchertron

import "testing"

func TestRequestsAreOfEqualWeightAndNoneTooHeavy(t *testing.T) {
	calls := make([]call, 334, 1000)
	for i := range calls {
		calls[i].native = true
	}
	for range 666 {
		calls = append(calls, call{token: tokenA})
	}
	for size, want := range map[int]int{1000: 4, 500: 8, 100: 37, tokenWeight: 667 + 66, 2500: 2} {
		requests := 0
		for left := calls; len(left) > 0; requests++ {
			n := share(left, size)
			if n == 0 || weight(left[:n]) > size {
				t.Fatalf("size %d: %d calls of weight %d", size, n, weight(left[:n]))
			}
			left = left[n:]
		}
		if requests > want+1 {
			t.Errorf("size %d: %d requests", size, requests)
		}
	}
}

func TestSizesGrowByATenthAndNotBackToWhatFailed(t *testing.T) {
	s := newSizes(1000)
	s.broke(1000)
	if s.now() != 500 {
		t.Fatal(s.now())
	}
	for range growAfter {
		s.worked(100) // far below the size
	}
	for range growAfter {
		s.worked(500)
	}
	if s.now() != 550 {
		t.Error(s.now())
	}
	for range 100 * growAfter {
		s.worked(s.now())
	}
	if s.now() != 999 {
		t.Error(s.now())
	}
	for range 20 {
		s.broke(s.now())
	}
	if s.now() != tokenWeight {
		t.Error(s.now())
	}
}
