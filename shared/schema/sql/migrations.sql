-- What was applied here. checksum: SHA-256 of the file, so that a file that was changed afterwards is found.
CREATE TABLE IF NOT EXISTS balance_sync_migrations (
    version    integer     PRIMARY KEY,
    name       text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    checksum   text        NOT NULL
);
