package fetcherevm

import (
	"testing"
	"testing/synctest"
	"time"
)

// grow lets requests of the full size go well.
func grow(s *sizes, requests int) {
	for range requests {
		s.worked(s.now(), time.Millisecond)
	}
}

func TestASizeGrowsByAQuarterAfterFourCleanRequests(t *testing.T) {
	s := newSizes(2500)
	for _, want := range []int{500, 500, 500, 500, 625, 625, 625, 625, 781} {
		if got := s.now(); got != want {
			t.Fatalf("size %d, want %d", got, want)
		}
		grow(s, 1)
	}
	grow(s, 100)
	if got := s.now(); got != 2500 {
		t.Errorf("grown to %d, want the ceiling", got)
	}
	small := newSizes(1)
	grow(small, 100)
	if small.now() != 1 {
		t.Errorf("size %d above a ceiling of 1", small.now())
	}
}

func TestSmallRequestsSayNothingAboutLargeOnes(t *testing.T) {
	s := newSizes(2500)
	for range 100 {
		s.worked(250, time.Millisecond)
	}
	if s.now() != 500 {
		t.Errorf("grown to %d", s.now())
	}
}

func TestASizeThatFailedIsNotTriedForTenMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSizes(2500)
		s.broke(500)
		if s.now() != 250 {
			t.Fatalf("size %d, want half", s.now())
		}
		grow(s, 100)
		if s.now() != 499 {
			t.Errorf("grown to %d, want one below what failed", s.now())
		}
		<-time.After(sizeMemory)
		grow(s, growAfter)
		if s.now() <= 500 {
			t.Errorf("size %d after the time", s.now())
		}
	})
}

func TestASizeFallsToOneAndNoFurther(t *testing.T) {
	s := newSizes(2500)
	for range 20 {
		s.broke(s.now())
	}
	if s.now() != 1 {
		t.Errorf("size %d", s.now())
	}
	grow(s, 100)
	if s.now() != 1 {
		t.Errorf("2 failed, and %d is tried", s.now())
	}
}

func TestASlowAnswerHalvesTheSize(t *testing.T) {
	s := newSizes(2500)
	s.worked(500, tooSlow+time.Millisecond)
	if s.now() != 250 {
		t.Errorf("size %d", s.now())
	}
}

// A node that is busy with everybody's requests would be asked for one balance at a time, and be busier for it.
func TestSlownessLowersASizeToATwentiethOfItsCeilingAndIsForgottenSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSizes(2500)
		for range 20 {
			s.strained(s.now())
		}
		if s.now() != 125 {
			t.Fatalf("size %d, want 125", s.now())
		}
		grow(s, 20)
		if s.now() != 125 {
			t.Errorf("grown to %d at once", s.now())
		}
		<-time.After(strainMemory + time.Second)
		grow(s, 10*growAfter)
		if s.now() < 500 {
			t.Errorf("size %d when the node is well again", s.now())
		}
		s.broke(3)
		s.strained(s.now()) // a size that the node refused stays the lower one
		if s.now() != 1 {
			t.Errorf("size %d after a refusal of 3", s.now())
		}
	})
}

func TestAPrefixSetsTheSizeALittleBelowIt(t *testing.T) {
	s := newSizes(2500)
	s.reached(300)
	if s.now() != 270 {
		t.Errorf("size %d, want 270", s.now())
	}
	grow(s, growAfter)
	if s.now() != 337 {
		t.Errorf("size %d: a prefix is no failure", s.now())
	}
}

func TestRequestsAreSharedOutEvenly(t *testing.T) {
	for _, tt := range [][3]int{{1000, 500, 500}, {1001, 500, 334}, {10, 500, 10}, {1000, 625, 500}, {3, 1, 1}} {
		if got := share(tt[0], tt[1]); got != tt[2] {
			t.Errorf("%d rows at %d: %d, want %d", tt[0], tt[1], got, tt[2])
		}
	}
}
