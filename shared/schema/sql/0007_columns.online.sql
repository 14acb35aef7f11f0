-- The same columns in the same order, without a rewrite: every default is a constant, which Postgres keeps in its catalog. A row that
-- was here before reads sweep_seq 0, which no sequence gives, until 0009 has filled it.
ALTER TABLE wallet_balances SET (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 1,
    autovacuum_analyze_scale_factor = 0.05);

ALTER TABLE wallet_balances
    ADD COLUMN chain_id        uuid,
    ADD COLUMN sweep_seq       bigint NOT NULL DEFAULT 0,
    ADD COLUMN due_at          timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN priority        smallint NOT NULL DEFAULT 0,
    ADD COLUMN observed_epoch  integer NOT NULL DEFAULT 0,
    ADD COLUMN observed_height bigint,
    ADD COLUMN observed_at     timestamptz,
    ADD COLUMN observed_by     text;

ALTER TABLE wallet_balances
    ALTER COLUMN sweep_seq DROP DEFAULT;
ALTER TABLE wallet_balances
    ALTER COLUMN sweep_seq ADD GENERATED ALWAYS AS IDENTITY,
    ALTER COLUMN priority SET DEFAULT 1;
