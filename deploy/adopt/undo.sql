-- Takes balance-sync out of a database again: run it when the services have stopped. What they wrote into the application's own columns
-- stays. Every statement but the first takes its lock for a moment; the columns' space comes back with the next rewrite of the table.
UPDATE wallet_balances SET processing_status = 'idle', locked_until = NULL, locked_by = NULL
 WHERE locked_by LIKE 'balsync:%' AND processing_status = 'processing';
DROP TRIGGER balance_sync_insert ON wallet_balances;
DROP TRIGGER balance_sync_target ON wallet_balances;
DROP FUNCTION balance_sync_row();
DROP FUNCTION balance_sync_backoff(integer);
DROP VIEW balance_sync_addresses, balance_sync_assets, balance_sync_chains;
-- The two indexes go with their columns.
ALTER TABLE wallet_balances
    DROP COLUMN chain_id, DROP COLUMN sweep_seq, DROP COLUMN due_at, DROP COLUMN priority,
    DROP COLUMN observed_epoch, DROP COLUMN observed_height, DROP COLUMN observed_at, DROP COLUMN observed_by;
ALTER TABLE wallet_balances RESET (
    fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay, autovacuum_analyze_scale_factor);
DROP TABLE balance_sync_migrations;
