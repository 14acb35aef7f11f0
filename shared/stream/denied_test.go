package stream

import (
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

func TestADenialIsHeldForAMinuteAndRenewedByTheNext(t *testing.T) {
	d := denial{lasts: denialLasts, over: func() {}}
	defer d.end()
	start := time.Unix(0, 0)
	d.note(errors.New("nats: slow consumer"), start)
	if err := d.current(start); err != nil {
		t.Errorf("an error of another kind is held: %v", err)
	}
	d.note(nats.ErrPermissionViolation, start)
	d.note(nats.ErrPermissionViolation, start.Add(50*time.Second))
	if err := d.current(start.Add(110 * time.Second)); !errors.Is(err, nats.ErrPermissionViolation) {
		t.Errorf("a minute after the last refusal: %v", err)
	}
	if err := d.current(start.Add(111 * time.Second)); err != nil {
		t.Errorf("later: %v", err)
	}
}
