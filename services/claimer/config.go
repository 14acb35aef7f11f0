package claimer

import (
	"time"

	"github.com/balance-sync/balance-sync/shared/chain"
	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/balance-sync/balance-sync/shared/service"
	"github.com/balance-sync/balance-sync/shared/stream"
	"github.com/balance-sync/balance-sync/shared/wire"
)

// Config are the claimer's settings. Each field names the variable that it is read from.
type Config struct {
	// Database is where wallet_balances is (DATABASE_URL), Broker where JetStream is (NATS_URL, NATS_CREDS).
	Database secret.Text
	Broker   stream.Options
	// Chains are those of the chains file (BALSYNC_CHAINS), without their endpoints.
	Chains []chain.Config
	// BatchSize is the largest claim of the sweep, in rows (BALSYNC_BATCH_SIZE).
	BatchSize int
	// Lease is how long a claimed row is ours (BALSYNC_LOCK_DURATION).
	Lease time.Duration
	// Window is how far a statement of the sweep looks, in sweep_seq (BALSYNC_SWEEP_WINDOW).
	Window int64
	// PassPace is the least time from one pass of a chain to the next when there was nearly nothing to do (BALSYNC_PASS_PACE).
	PassPace time.Duration
	// FastPoll is how often the fast lane is looked at (BALSYNC_FAST_POLL), FastRows its largest claim, in rows (BALSYNC_FAST_ROWS).
	FastPoll time.Duration
	FastRows int
	// Messages is how many messages of a lane may be unfinished before its claims stop (BALSYNC_MAX_MESSAGES).
	Messages int
	// Patience is how long a claim is tried to be published before its rows are given back (BALSYNC_PUBLISH_PATIENCE).
	Patience time.Duration
	// ChainPoll is how often the database is asked for its chains (BALSYNC_CHAIN_POLL).
	ChainPoll time.Duration
	// OrphanPace is how often rows without a chain are looked at (BALSYNC_ORPHAN_PACE).
	OrphanPace time.Duration
}

// Load reads the configuration; faults go to env.
func Load(env *service.Env) Config {
	c := Config{
		Database:   env.Require("DATABASE_URL", env.Secret("DATABASE_URL"), "the database of wallet_balances, such as postgres://db.example:5432/app"),
		Broker:     stream.LoadOptions(env, "claimer"),
		Chains:     env.Chains(),
		BatchSize:  env.Int("BALSYNC_BATCH_SIZE", 1000, 10, wire.MaxRows),
		Lease:      env.Duration("BALSYNC_LOCK_DURATION", 2*time.Minute, 30*time.Second, time.Hour),
		Window:     int64(env.Int("BALSYNC_SWEEP_WINDOW", 50_000, 1_000, 10_000_000)),
		PassPace:   env.Duration("BALSYNC_PASS_PACE", 10*time.Second, time.Second, 10*time.Minute),
		FastPoll:   env.Duration("BALSYNC_FAST_POLL", 250*time.Millisecond, 50*time.Millisecond, time.Minute),
		FastRows:   env.Int("BALSYNC_FAST_ROWS", 50, 1, 500),
		Messages:   env.Int("BALSYNC_MAX_MESSAGES", 64, 1, 10_000),
		Patience:   env.Duration("BALSYNC_PUBLISH_PATIENCE", 30*time.Second, time.Second, 10*time.Minute),
		ChainPoll:  env.Duration("BALSYNC_CHAIN_POLL", 10*time.Second, time.Second, 10*time.Minute),
		OrphanPace: env.Duration("BALSYNC_ORPHAN_PACE", 10*time.Second, time.Second, time.Hour),
	}
	if c.FastRows > c.BatchSize {
		env.Fault("BALSYNC_FAST_ROWS=%d: must not be above BALSYNC_BATCH_SIZE, which is %d", c.FastRows, c.BatchSize)
	}
	return c
}
