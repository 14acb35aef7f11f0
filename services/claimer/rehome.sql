-- Rows whose asset is on another chain now join that chain's sweep. The trigger makes them forget the balance, which was the old
-- chain's. Like a claim it waits for nobody: a row that is busy is moved in the next pass. $1 ids
WITH free AS MATERIALIZED (
    SELECT id
      FROM wallet_balances
     WHERE id = ANY ($1::uuid[])
       AND (locked_until < now() OR locked_until IS NULL)
       AND (processing_status = 'idle' OR processing_status IS NULL)
       FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE wallet_balances w
   SET chain_id = a.chain_id
  FROM free f, balance_sync_assets a
 WHERE w.id = f.id AND a.asset_on_chain_id = w.asset_on_chain_id AND a.chain_id <> w.chain_id;
