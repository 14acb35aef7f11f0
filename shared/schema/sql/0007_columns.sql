-- What balance-sync keeps in a row. The chain is filled in first, so that the rewrite below packs the table once and leaves the pages
-- in the order of sweep_seq.
ALTER TABLE wallet_balances ADD COLUMN chain_id uuid;
UPDATE wallet_balances w SET chain_id = a.chain_id FROM balance_sync_assets a WHERE a.asset_on_chain_id = w.asset_on_chain_id;
-- A deferred trigger of the adopter's would refuse the next ALTER as long as it waits.
SET CONSTRAINTS ALL IMMEDIATE;

-- Half of every page stays free, so that claim and apply each find room for their version of a row beside the old one (HOT).
ALTER TABLE wallet_balances SET (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 1,
    autovacuum_analyze_scale_factor = 0.05);

ALTER TABLE wallet_balances
    ADD COLUMN sweep_seq       bigint GENERATED ALWAYS AS IDENTITY,       -- the order of the sweep; this is what rewrites the table
    ADD COLUMN due_at          timestamptz NOT NULL DEFAULT '-infinity',  -- in no index, on purpose
    ADD COLUMN priority        smallint NOT NULL DEFAULT 0,               -- 2 asked for now, 1 new, 0 ordinary
    ADD COLUMN observed_epoch  integer NOT NULL DEFAULT 0,
    ADD COLUMN observed_height bigint,
    ADD COLUMN observed_at     timestamptz,
    ADD COLUMN observed_by     text;
-- Rows that are here already are ordinary; those that come are new.
ALTER TABLE wallet_balances ALTER COLUMN priority SET DEFAULT 1;
