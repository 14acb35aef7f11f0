package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"
)

// provisionConfig is what provisioning needs to know.
type provisionConfig struct {
	nats     stream.Options
	chains   []chain.Config
	settings stream.Settings
}

// loadProvision reads it from the environment.
func loadProvision(env *service.Env) provisionConfig {
	s := stream.DefaultSettings()
	config := provisionConfig{nats: stream.LoadOptions(env, "provisioner"), chains: env.Chains()}
	s.Replicas = env.Int("BALSYNC_STREAM_REPLICAS", s.Replicas, 1, 5)
	s.Lease = env.Duration("BALSYNC_LOCK_DURATION", s.Lease, 10*time.Second, time.Hour)
	s.ClaimAckWait = env.Duration("BALSYNC_CLAIM_ACK_WAIT", s.ClaimAckWait, time.Second, 10*time.Minute)
	s.ResultAckWait = env.Duration("BALSYNC_RESULT_ACK_WAIT", s.ResultAckWait, time.Second, 10*time.Minute)
	const day, most = 24 * time.Hour, 365 * 24 * time.Hour
	s.ClaimAge = env.Duration("BALSYNC_CLAIMS_MAX_AGE", s.ClaimAge, time.Hour, most)
	s.ResultAge = env.Duration("BALSYNC_RESULTS_MAX_AGE", s.ResultAge, time.Hour, most)
	s.LetterAge = env.Duration("BALSYNC_DLQ_MAX_AGE", s.LetterAge, day, most)
	s.ClaimBytes = env.Bytes("BALSYNC_CLAIMS_MAX_BYTES", s.ClaimBytes, 16<<20)
	s.ResultBytes = env.Bytes("BALSYNC_RESULTS_MAX_BYTES", s.ResultBytes, 16<<20)
	s.LetterBytes = env.Bytes("BALSYNC_DLQ_MAX_BYTES", s.LetterBytes, 1<<20)
	if err := s.Check(); err != nil {
		env.Fault("BALSYNC_CLAIM_ACK_WAIT, BALSYNC_LOCK_DURATION: %w", err)
	}
	config.settings = s
	return config
}

// changeRow is a change as it is shown.
type changeRow struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Change string `json:"change"` // created, updated
}

func changeRows(changes []stream.Change) []changeRow {
	rows := make([]changeRow, 0, len(changes))
	for _, change := range changes {
		row := changeRow{change.Kind, change.Name, "updated"}
		if change.Made {
			row.Change = "created"
		}
		rows = append(rows, row)
	}
	return rows
}

func provision(c console, env *service.Env, show shower) *cobra.Command {
	cmd := &cobra.Command{Use: "provision", Short: "create the streams and consumers that the chains need, or bring them back to plan", Args: none}
	watch := cmd.Flags().Bool("watch", false, "stay, and keep them there")
	every := cmd.Flags().Duration("every", 10*time.Second, "with --watch: how often to look")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		config := loadProvision(env)
		if err := env.Err(); err != nil {
			return usage(err)
		}
		if *every < time.Second {
			return usage(fmt.Errorf("--every %s: must be at least 1s", *every))
		}
		plan, err := stream.NewPlan(config.chains, config.settings)
		if err != nil {
			return usage(err)
		}
		wait, cancel := context.WithTimeout(cmd.Context(), 10*time.Second)
		defer cancel()
		conn, err := stream.Connect(wait, config.nats)
		if err != nil {
			return err
		}
		defer conn.Close()
		if *watch {
			keep(cmd.Context(), c, env, conn, plan, *every)
			return nil
		}
		changes, err := plan.Provision(cmd.Context(), conn.JS)
		if err != nil {
			return advise(refused(conn, err))
		}
		return show([]string{"KIND", "NAME", "CHANGE"}, changeRows(changes))
	}
	return cmd
}

// refused adds to an error the permission that the broker refused: what was asked for without it looks like a broker that does not answer.
func refused(conn *stream.Conn, err error) error {
	if denied := conn.Denied(); denied != nil {
		return fmt.Errorf("%w: NATS_URL must name the provisioner's user: %w", err, denied)
	}
	return err
}

// noRoom is the server's code for a store that cannot hold what its streams reserve.
const noRoom = 10047

// advise adds to an error what its reader can do.
func advise(err error) error {
	var api *jetstream.APIError
	if errors.As(err, &api) && api.ErrorCode == noRoom {
		return fmt.Errorf("%w: the streams reserve BALSYNC_CLAIMS_MAX_BYTES + BALSYNC_RESULTS_MAX_BYTES + BALSYNC_DLQ_MAX_BYTES + 256MiB of the server's max_file_store: lower them or raise it", err)
	}
	return err
}

// keep provisions until it is asked to stop, and logs what it had to change.
func keep(ctx context.Context, c console, env *service.Env, conn *stream.Conn, plan stream.Plan, every time.Duration) {
	log := service.NewLogger(c.err, "info", env.OneOf("LOG_FORMAT", "json", "console"), secret.NewScrubber(env.Secrets()...))
	log.Info().Int("streams", len(plan.Streams)).Int("consumers", len(plan.Consumers)).Msg("provisioning")
	plan.Watch(ctx, conn.JS, every, func(changes []stream.Change, err error) {
		for _, change := range changes {
			log.Warn().Str("kind", change.Kind).Str("name", change.Name).Bool("made", change.Made).Msg("provisioned")
		}
		if err != nil {
			log.Error().Err(advise(refused(conn, err))).Msg("not provisioned")
		}
	})
}
