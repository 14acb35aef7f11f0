package stream_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/google/go-cmp/cmp"
)

func TestALeaseThatEndsBeforeTheLastDeliveryIsRefused(t *testing.T) {
	s := stream.DefaultSettings()
	s.ClaimAckWait, s.Lease = 30*time.Second, 75*time.Second // 2 × 30 s + 15 s
	if _, err := stream.NewPlan(nil, s); err == nil || !strings.Contains(err.Error(), "claim ack wait 30s") {
		t.Errorf("error %v, want one about the claim ack wait", err)
	}
	s.Lease++
	if _, err := stream.NewPlan(nil, s); err != nil {
		t.Error(err)
	}
}

func TestEveryFaultOfTheSettingsIsReported(t *testing.T) {
	err := stream.Settings{Replicas: 6, Lease: time.Second, ClaimAge: time.Minute}.Check()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"ack waits", "the lease lasts 1s", "replicas 6", "ages 1m0s", "sizes 0"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
}

func TestAnotherChainAddsConsumersAndChangesNothing(t *testing.T) {
	one := planned(t, stream.DefaultSettings(), bsc)
	two := planned(t, stream.DefaultSettings(), bsc, chain.Config{Name: "tron", Family: chain.TRON})
	if diff := cmp.Diff(one.Streams, two.Streams); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(one.Consumers, two.Consumers[:len(one.Consumers)]); diff != "" {
		t.Error(diff)
	}
}

func ExampleNewPlan() {
	plan, err := stream.NewPlan([]chain.Config{{Name: "bsc", Family: chain.EVM}}, stream.DefaultSettings())
	for _, c := range plan.Consumers {
		fmt.Println(c.Stream, c.Config.Durable, c.Config.FilterSubject)
	}
	fmt.Println(err)
	// Output:
	// CLAIMS fetch-evm-bsc-sweep claims.evm.bsc.sweep
	// CLAIMS fetch-evm-bsc-fast claims.evm.bsc.fast
	// RESULTS write-evm-bsc results.evm.bsc
	// <nil>
}
