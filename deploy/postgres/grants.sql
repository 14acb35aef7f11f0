-- What the roles may do with the table, views and functions: for reading, and for those who grant by hand. `balsync migrate up` and
-- `balsync migrate grants` do it, in one transaction, as their owner. Printed by `balsync migrate roles --grants`.

-- claimer
REVOKE ALL ON "public".wallet_balances, "public".balance_sync_migrations, "public".balance_sync_chains, "public".balance_sync_assets, "public".balance_sync_addresses FROM "balsync_claimer";
GRANT SELECT (chain_id, name, active) ON "public".balance_sync_chains TO "balsync_claimer";
GRANT SELECT (asset_on_chain_id, chain_id, contract_address, decimals, is_native) ON "public".balance_sync_assets TO "balsync_claimer";
GRANT SELECT (wallet_id, chain_id, address, active) ON "public".balance_sync_addresses TO "balsync_claimer";
GRANT SELECT (ctid, id, wallet_id, asset_on_chain_id, chain_id, sweep_seq, due_at, priority, processing_status, locked_until, locked_by, last_error, last_error_at, error_count, observed_epoch, observed_height) ON "public".wallet_balances TO "balsync_claimer";
GRANT UPDATE (chain_id, due_at, priority, processing_status, locked_until, locked_by, last_error, last_error_at, error_count) ON "public".wallet_balances TO "balsync_claimer";
REVOKE ALL ON FUNCTION "public".balance_sync_backoff(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION "public".balance_sync_backoff(integer) TO "balsync_claimer";

-- writer
REVOKE ALL ON "public".wallet_balances, "public".balance_sync_migrations, "public".balance_sync_chains, "public".balance_sync_assets, "public".balance_sync_addresses FROM "balsync_writer";
GRANT SELECT (asset_on_chain_id, chain_id, contract_address, decimals, is_native) ON "public".balance_sync_assets TO "balsync_writer";
GRANT SELECT (chain_id, name) ON "public".balance_sync_chains TO "balsync_writer";
GRANT SELECT (id, wallet_id, asset_on_chain_id, chain_id, due_at, priority, processing_status, locked_until, locked_by, on_chain_balance_raw, on_chain_balance_human, last_checked, last_processed_at, last_error, last_error_at, sync_count, error_count, observed_epoch, observed_height, observed_at, observed_by) ON "public".wallet_balances TO "balsync_writer";
GRANT UPDATE (on_chain_balance_raw, on_chain_balance_human, last_checked, last_processed_at, last_error, last_error_at, sync_count, error_count, due_at, processing_status, locked_until, locked_by, observed_epoch, observed_height, observed_at, observed_by, updated_at) ON "public".wallet_balances TO "balsync_writer";
REVOKE ALL ON FUNCTION "public".balance_sync_backoff(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION "public".balance_sync_backoff(integer) TO "balsync_writer";

-- reader
REVOKE ALL ON "public".wallet_balances, "public".balance_sync_migrations, "public".balance_sync_chains, "public".balance_sync_assets, "public".balance_sync_addresses FROM "balsync_reader";
GRANT SELECT (chain_id, name, active) ON "public".balance_sync_chains TO "balsync_reader";
GRANT SELECT (asset_on_chain_id, chain_id, contract_address, decimals, is_native) ON "public".balance_sync_assets TO "balsync_reader";
GRANT SELECT (wallet_id, chain_id, address, active) ON "public".balance_sync_addresses TO "balsync_reader";
GRANT SELECT (id, wallet_id, asset_on_chain_id, on_chain_balance_raw, on_chain_balance_human, processing_status, locked_until, locked_by, last_checked, last_processed_at, last_error, last_error_at, sync_count, error_count, updated_at, chain_id, sweep_seq, due_at, priority, observed_epoch, observed_height, observed_at, observed_by) ON "public".wallet_balances TO "balsync_reader";
GRANT SELECT (version, name, applied_at, checksum) ON "public".balance_sync_migrations TO "balsync_reader";
