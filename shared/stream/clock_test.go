package stream_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/balance-sync/balance-sync/shared/stream"
)

func TestTheClockRunsOnBetweenReadings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var clock stream.Clock
		if _, _, ok := clock.Now(); ok {
			t.Error("a clock that was never read tells a time")
		}
		broker := time.Date(1999, 12, 31, 23, 59, 0, 0, time.UTC) // another wall clock than ours
		sent := time.Now()
		<-time.After(2 * time.Second)
		clock.Observe(broker, sent, time.Now()) // taken for the middle of the two seconds
		<-time.After(40 * time.Second)
		now, age, ok := clock.Now()
		if want := broker.Add(41 * time.Second); !ok || !now.Equal(want) || age != 41*time.Second {
			t.Errorf("now %v, age %v, ok %t; want %v", now, age, ok, want)
		}
		clock.Observe(time.Time{}, time.Now(), time.Now())
		if again, _, _ := clock.Now(); !again.Equal(now) {
			t.Errorf("an answer without a time set the clock to %v", again)
		}
		clock.Observe(broker, time.Now(), time.Now())
		if again, age, _ := clock.Now(); !again.Equal(broker) || age != 0 {
			t.Errorf("after a new reading: now %v, age %v", again, age)
		}
	})
}
