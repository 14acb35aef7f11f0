package main

import (
	"fmt"

	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/spf13/cobra"
)

// natsUsers prints what the broker's configuration includes. Passwords are not in it: the server takes them from its environment.
func natsUsers(c console, env *service.Env) *cobra.Command {
	cmd := &cobra.Command{Use: "nats", Short: "print the broker's users for the chains file, with their permissions, for nats-server to include", Args: none}
	cmd.RunE = func(*cobra.Command, []string) error {
		chains := env.Chains()
		if err := env.Err(); err != nil {
			return usage(err)
		}
		_, err := fmt.Fprint(c.out, stream.AccountsConfig(stream.Users(chains), stream.PasswordVariable))
		return err
	}
	return cmd
}
