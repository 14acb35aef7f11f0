package fetch_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/balance-sync/balance-sync/shared/fetch"
	"github.com/balance-sync/balance-sync/shared/upstream"
	"github.com/balance-sync/balance-sync/shared/wire"
)

func TestRowsThatNobodyCanBeAskedForSayWhatAllEndpointsAreOutFor(t *testing.T) {
	out := func(codes ...string) error {
		none := &upstream.Unavailable{}
		for _, code := range codes {
			none.States = append(none.States, upstream.State{Name: "node", Fault: &upstream.Fault{Code: code, Text: "key CANARY"}})
		}
		return none
	}
	clean := func(text string) string { return strings.ReplaceAll(text, "CANARY", "***") }
	for _, tt := range []struct {
		err  error
		code string
	}{
		{out(wire.CodeRateLimited, wire.CodeRateLimited), wire.CodeRateLimited},
		{out(wire.CodeWrongChain, wire.CodeLagging), wire.CodeUnreachable},
		{out(upstream.Unchecked), wire.CodeUnreachable},
		{errors.New("another CANARY"), wire.CodeUnreachable},
	} {
		o := fetch.Unavailable(tt.err, clean)
		if o.Raw != "" || o.Err == nil || o.Err.Class != wire.ClassEndpoint || o.Err.Code != tt.code || o.Err.Message != clean(tt.err.Error()) {
			t.Errorf("%v: %+v", tt.err, o.Err)
		}
	}
}
