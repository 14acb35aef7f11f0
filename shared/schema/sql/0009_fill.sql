-- Rows that no trigger saw: all of them if 0007 was run online, otherwise those that came between 0007 and 0008.
UPDATE wallet_balances w
   SET sweep_seq = DEFAULT,
       chain_id = (SELECT a.chain_id FROM balance_sync_assets a WHERE a.asset_on_chain_id = w.asset_on_chain_id LIMIT 1)
 WHERE w.sweep_seq = 0;
UPDATE wallet_balances w SET chain_id = a.chain_id
  FROM balance_sync_assets a
 WHERE w.chain_id IS NULL AND a.asset_on_chain_id = w.asset_on_chain_id;
-- The first claim is planned with numbers about the new columns.
ANALYZE wallet_balances;
