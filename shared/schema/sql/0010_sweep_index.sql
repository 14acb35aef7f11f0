-- The sweep: one chain, in the order of the disk. Neither column is changed by claim or apply.
CREATE INDEX wallet_balances_sweep ON wallet_balances (chain_id, sweep_seq);
