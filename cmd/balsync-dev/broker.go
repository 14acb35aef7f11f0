package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/balance-sync/balance-sync/devkit/natsdev"
	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/stream"
)

// startNATS runs a broker on which each service has its own user, with what it may do for the run's chains.
func (s *stack) startNATS() error {
	file := filepath.Join(s.dir, "nats.conf")
	if err := s.writeUsers(file, s.users()); err != nil {
		return err
	}
	nats, err := natsdev.Start(filepath.Join(s.dir, "nats"), natsdev.Options{ConfigFile: file, SyncAlways: true, MaxStore: 4 << 30})
	if err != nil {
		return fmt.Errorf("start nats: %w", err)
	}
	s.nats = nats
	s.onClose(func() error { nats.Stop(); return nil })
	s.display.line("nats", nats.URL()+"  (users and passwords: "+file+")")
	return nil
}

// users are those of the broker.
func (s *stack) users() []stream.User { return stream.Users(s.chainConfigs()) }

// chainConfigs are the run's chains as far as the broker is concerned.
func (s *stack) chainConfigs() []chain.Config {
	var chains []chain.Config
	for _, c := range s.chains {
		chains = append(chains, chain.Config{Name: c.name, Family: c.family})
	}
	return chains
}

// writeUsers writes the broker's configuration. It holds passwords, so it is its owner's alone.
func (s *stack) writeUsers(file string, users []stream.User) error {
	text := stream.AccountsConfig(users, func(u stream.User) string { return stream.PasswordText(s.opt.passwords.of(u.Name)) })
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write the broker's users: %w", err)
	}
	return nil
}
