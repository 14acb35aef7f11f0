package service

import (
	"encoding/json"
	"errors"
	"net/http"
	"sync"
)

// Health is what /readyz shows: each dependency with the reason why it is not usable. It is shared by the services of a
// process and may be used concurrently.
type Health struct {
	mu       sync.Mutex // guards all below
	checks   map[string]error
	draining bool
}

// errPending is the state of a dependency that nobody has reported on yet.
var errPending = errors.New("not checked yet")

// NewHealth gives a health without dependencies, which is ready.
func NewHealth() *Health { return &Health{checks: map[string]error{}} }

// Set reports on a dependency: nil makes it ready, an error says why it is not. It tells whether that is news: a dependency
// that is lost, or back.
func (h *Health) Set(name string, err error) (news bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before, known := h.checks[name]
	h.checks[name] = err
	switch {
	case errors.Is(err, errPending):
		return false
	case !known || errors.Is(before, errPending):
		return err != nil // that all is well at the start is what everybody expects
	}
	return (err == nil) != (before == nil)
}

// Drain makes the process not ready for good: it is about to stop, and load balancers and orchestrators should know before it does.
func (h *Health) Drain() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.draining = true
}

// Ready reports whether everything is usable, with the state of each dependency: "ok" or the reason.
func (h *Health) Ready() (bool, map[string]string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	ready, states := !h.draining, map[string]string{}
	if h.draining {
		states["process"] = "draining"
	}
	for name, err := range h.checks {
		states[name] = "ok"
		if err != nil {
			ready, states[name] = false, err.Error()
		}
	}
	return ready, states
}

// ServeHTTP answers /readyz: 200 or 503, and a JSON object {"ready": bool, "checks": {name: "ok" or reason}}. Reasons pass scrub.
func (h *Health) handler(scrub func(string) string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		ready, states := h.Ready()
		for name, state := range states {
			states[name] = scrub(state)
		}
		w.Header().Set("Content-Type", "application/json")
		if !ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		// The client has gone if this fails; there is nobody to tell.
		_ = json.NewEncoder(w).Encode(map[string]any{"ready": ready, "checks": states})
	}
}
