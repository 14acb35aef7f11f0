package schema

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/balance-sync/balance-sync/shared/secret"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// OpenPool opens a pool of at most size connections that also works behind a transaction pooler: it prepares nothing on
// the server unless the URL asks for it with default_query_exec_mode (pgx's default, named prepared statements, fails
// there). It does not wait for the server; the first query does. Errors never quote the URL.
func OpenPool(url secret.Text, application string, size int32) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url.Reveal())
	if err != nil {
		// pgx quotes the URL, with its password masked only when it could be parsed.
		return nil, errors.New("DATABASE_URL is not a Postgres URL such as postgres://db.example:5432/app")
	}
	if !strings.Contains(url.Reveal(), "default_query_exec_mode") {
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	config.ConnConfig.RuntimeParams["application_name"] = application
	config.ConnConfig.ConnectTimeout = 5 * time.Second
	config.MaxConns = size
	config.MaxConnLifetimeJitter = 5 * time.Minute
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("open the database pool: %w", err)
	}
	return pool, nil
}
