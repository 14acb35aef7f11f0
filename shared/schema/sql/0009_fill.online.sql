-- One batch of the fill: the rows of pages $1 up to $2 that are not filled yet, in the order of the disk. It waits for nobody: a row
-- that the application holds, or changes meanwhile, is left to the next pass.
WITH pick AS MATERIALIZED (
    SELECT w.ctid AS place, a.chain_id
      FROM wallet_balances w LEFT JOIN balance_sync_assets a ON a.asset_on_chain_id = w.asset_on_chain_id
     WHERE w.ctid >= $1::tid AND w.ctid < $2::tid
       AND (w.sweep_seq = 0 OR w.chain_id IS NULL AND a.chain_id IS NOT NULL)
     ORDER BY w.ctid
       FOR NO KEY UPDATE OF w SKIP LOCKED
)
UPDATE wallet_balances w SET sweep_seq = DEFAULT, chain_id = pick.chain_id
  FROM pick
 WHERE w.ctid = pick.place AND w.ctid >= $1::tid AND w.ctid < $2::tid;
