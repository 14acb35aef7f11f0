package trondev_test

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balance-sync/balance-sync/devkit/trondev"
	"github.com/balance-sync/balance-sync/devkit/wait"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/api"
	"github.com/fbsobreira/gotron-sdk/pkg/proto/core"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

func TestFaultsAnswerInPlaceOfTheNodeUntilTheyAreTakenAway(t *testing.T) {
	n := start(t, trondev.Config{Chain: 3, Wallets: 2})
	c := dial(t, n.URL())
	call := func() error {
		_, err := c.solid.GetAccount(t.Context(), &core.Account{Address: address21(at(1, 1))})
		return err
	}
	for name, want := range map[string]struct {
		fault   grpc.UnaryServerInterceptor
		code    codes.Code
		message string
	}{
		"storm":  {trondev.Storm(), codes.ResourceExhausted, ""},
		"closed": {trondev.Closed(), codes.Unavailable, "this API is unavailable due to config"},
		"lite":   {trondev.Lite(), codes.Unavailable, "this API is closed because this node is a lite fullnode"},
	} {
		n.Intercept(want.fault)
		if err := call(); status.Code(err) != want.code || status.Convert(err).Message() != want.message {
			t.Errorf("%s: %v", name, err)
		}
	}
	n.Intercept(trondev.Hang())
	ctx, cancel := context.WithCancel(t.Context())
	hung := make(chan error, 1)
	before := n.Requests()
	go func() {
		_, err := c.solid.GetAccount(ctx, &core.Account{})
		hung <- err
	}()
	wait.For(t, 10*time.Second, "the request is with the node", func() bool { return n.Requests() > before })
	cancel()
	if err := <-hung; status.Code(err) != codes.Canceled {
		t.Errorf("hang: %v", err)
	}
	before = n.Requests()
	n.Intercept(trondev.Nth(2, trondev.Storm()))
	if first, second := call(), call(); first != nil || second == nil {
		t.Errorf("every second request: %v, %v", first, second)
	}
	n.Intercept(trondev.On(trondev.Storm(), "protocol.Wallet", "GetBlock"))
	if err := call(); err != nil {
		t.Errorf("a fault of other methods: %v", err)
	}
	n.Intercept(nil)
	if err := call(); err != nil {
		t.Error(err)
	}
	if got := n.Requests() - before; got != 4 {
		t.Errorf("%d requests were counted, want 4", got)
	}
}

// What a provider's gateway answers is not gRPC. The fault says what the client makes of it, so it is compared with a real one.
func TestASuspendedProviderLooksAsItDoesBehindARealGateway(t *testing.T) {
	const body = `{"Error":"request rate exceeded the allowed_rps(10), and the query server is suspended for 5 s"}`
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var httpStatus atomic.Int64
	gateway := &http.Server{Protocols: new(http.Protocols), Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(int(httpStatus.Load()))
		if _, err := w.Write([]byte(body)); err != nil {
			t.Error(err)
		}
	})}
	gateway.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = gateway.Serve(listener) }() // ends with Close
	t.Cleanup(func() { _ = gateway.Close() })

	n := start(t, trondev.Config{Chain: 3})
	ours, real := dial(t, n.URL()), dial(t, listener.Addr().String())
	for _, code := range []int{http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusTeapot} {
		httpStatus.Store(int64(code))
		n.Intercept(trondev.Suspended(code, 5))
		_, want := real.solid.GetAccount(t.Context(), &core.Account{})
		_, have := ours.solid.GetAccount(t.Context(), &core.Account{})
		if status.Code(have) != status.Code(want) || have.Error() != want.Error() {
			t.Errorf("HTTP %d looks as\n%v\nwant\n%v", code, have, want)
		}
	}
}

func TestFaultsThatAreReplies(t *testing.T) {
	n := start(t, trondev.Config{Chain: 3, Wallets: 2})
	c := dial(t, n.URL())
	trigger := func() *api.TransactionExtention {
		reply, err := c.solid.TriggerConstantContract(t.Context(), &core.TriggerSmartContract{Data: []byte{0}})
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
	n.Intercept(trondev.NoConstant())
	if r := trigger().Result; r.Result || r.Code != 2 || string(r.Message) != "Contract validate error : this node does not support constant" {
		t.Errorf("no constant calls: %v", r)
	}
	n.Intercept(trondev.Mute())
	if reply := trigger(); proto.Size(reply) != 0 {
		t.Errorf("mute: %v", reply)
	}
	n.Intercept(trondev.Forgetful())
	if a, err := c.solid.GetAccount(t.Context(), accountOf(t, n, 1)); err != nil || proto.Size(a) != 0 {
		t.Errorf("forgetful: %v, %v", a, err)
	}
	n.Intercept(trondev.OtherGenesis([32]byte{7}))
	if b, err := c.solid.GetBlock(t.Context(), &api.BlockReq{IdOrNum: "0"}); err != nil || b.Blockid[0] != 7 {
		t.Errorf("other genesis: %v, %v", b, err)
	}
	if b, err := c.solid.GetBlock(t.Context(), &api.BlockReq{}); err != nil || b.Blockid[0] == 7 {
		t.Errorf("other genesis, newest block: %v, %v", b, err)
	}
}

func TestAMessageAboveFourMebibytesIsRefused(t *testing.T) {
	n := start(t, trondev.Config{Chain: 3})
	c := dial(t, n.URL())
	_, err := c.solid.TriggerConstantContract(t.Context(), &core.TriggerSmartContract{Data: make([]byte, trondev.MaxMessage)})
	if status.Code(err) != codes.ResourceExhausted || status.Convert(err).Message() != "gRPC message exceeds maximum size 4194304: 4194309" {
		t.Errorf("err = %v", err)
	}
}

func TestAnIdleConnectionIsEnded(t *testing.T) {
	n := start(t, trondev.Config{Chain: 3, MaxIdle: 50 * time.Millisecond})
	conn, err := grpc.NewClient(n.URL()[len("grpc://"):], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	wallets := api.NewWalletSolidityClient(conn)
	if _, err := wallets.GetAccount(t.Context(), &core.Account{}); err != nil {
		t.Fatal(err)
	}
	for state := conn.GetState(); state != connectivity.Idle; state = conn.GetState() {
		if !conn.WaitForStateChange(t.Context(), state) {
			t.Fatal("the connection was not ended")
		}
	}
	if _, err := wallets.GetAccount(t.Context(), &core.Account{}); err != nil {
		t.Errorf("after redialling: %v", err)
	}
}
