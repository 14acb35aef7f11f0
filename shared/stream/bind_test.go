package stream_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/natsdev"
	"github.com/balance-sync/balance-sync/shared/stream"
)

func TestBindRefusesWhatIsNotProvisionedForThisVersion(t *testing.T) {
	server := natsdev.Run(t)
	conn := connect(t, server.URL())
	plan := planned(t, quick(), bsc)
	refused := func(what, want string) {
		t.Helper()
		_, err := conn.Bind(within(t, patience), stream.Claims, durable)
		if !errors.Is(err, stream.ErrDrift) || !strings.Contains(err.Error(), "run `balsync provision`") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", what, err)
		}
	}
	refused("no stream", "does not exist")
	provision(t, conn, stream.Plan{Streams: plan.Streams})
	refused("no consumer", "does not exist")
	other := plan.Consumers[0].Config
	other.Metadata = map[string]string{"bs.config": "0"}
	if _, err := conn.JS.CreateConsumer(within(t, patience), stream.Claims, other); err != nil {
		t.Fatal(err)
	}
	refused("another version's consumer", `number "0", "1" is needed`)
	provision(t, conn, plan)
	if _, err := conn.Bind(within(t, patience), stream.Claims, durable); err != nil {
		t.Errorf("provisioned: %v", err)
	}
}

func TestBindWithoutAServerIsNotTakenForDrift(t *testing.T) {
	server, conn := ready(t)
	server.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := conn.Bind(ctx, stream.Claims, durable); err == nil || errors.Is(err, stream.ErrDrift) {
		t.Errorf("error %v", err)
	}
}

func TestInfoReadsTheBrokersClock(t *testing.T) {
	server, conn := ready(t)
	consumer, err := conn.Bind(within(t, patience), stream.Claims, durable)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, ok := conn.Clock.Now(); ok {
		t.Error("the clock was read before anybody asked")
	}
	if _, err := conn.Info(within(t, patience), consumer); err != nil {
		t.Fatal(err)
	}
	now, age, ok := conn.Clock.Now()
	if skew := time.Since(now).Abs(); !ok || age > patience || skew > patience { // one machine, one clock
		t.Errorf("now %v, age %v, ok %t", now, age, ok)
	}
	server.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := conn.Info(ctx, consumer); err == nil {
		t.Error("no error from a server that is gone")
	}
	if _, _, ok := conn.Clock.Now(); !ok {
		t.Error("a reading was forgotten because the next one was not possible")
	}
}
