package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"
)

// Admin is the listener for people and orchestrators: /livez, /readyz, /metrics and /version. It changes nothing.
type Admin struct {
	listener net.Listener
	server   *http.Server
}

// ListenAdmin binds addr (host:port; port 0 picks a free one). The error names the address and the variable that sets it.
func ListenAdmin(addr string, health *Health, metrics prometheus.Gatherer, scrub *secret.Scrubber, version map[string]string) (*Admin, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("admin listener on %s (BALSYNC_ADMIN_ADDR): %w", addr, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", health.handler(scrub.Scrub))
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(version) // the client has gone if this fails
	})
	server := &http.Server{Handler: mux, ReadTimeout: 5 * time.Second, WriteTimeout: 15 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	return &Admin{listener: listener, server: server}, nil
}

// Addr is the address that was bound.
func (a *Admin) Addr() string { return a.listener.Addr().String() }

// Serve answers until ctx ends, then closes the listener.
func (a *Admin) Serve(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		<-ctx.Done()
		return a.server.Close()
	})
	group.Go(func() error {
		if err := a.server.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve admin: %w", err)
		}
		return nil
	})
	return group.Wait()
}
