-- The fast lane: rows that are new or asked for now. The one index that names a column which claims change: it is nearly empty, and a
-- row leaves it once.
CREATE INDEX wallet_balances_fast ON wallet_balances (chain_id, priority DESC, sweep_seq) WHERE priority > 0;
