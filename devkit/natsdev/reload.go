package natsdev

import (
	"errors"
	"fmt"
)

// Reload reads the configuration file again, as a signal makes a server do in production: clients stay connected, and may from then on do
// what the file now lets their users do.
func (s *Server) Reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return errors.New("reload nats: not running")
	}
	opts, err := s.options()
	if err == nil {
		err = s.running.ReloadOptions(opts)
	}
	if err != nil {
		return fmt.Errorf("reload nats: %w", err)
	}
	return nil
}
