-- A step through the bucket of rows without a chain, which no sweep passes. Those whose asset has a chain by now join its sweep and are
-- judged there; the others are the row error no_target. A lease that ended in here is ended with the row: no claim will meet it.
-- $1 from where, exclusive  {rows} a literal
WITH pick AS MATERIALIZED (
    SELECT id, asset_on_chain_id
      FROM wallet_balances
     WHERE chain_id IS NULL AND sweep_seq > $1
       AND due_at <= now()
       AND (locked_until < now() OR locked_until IS NULL AND processing_status IS DISTINCT FROM 'processing')
       AND (processing_status IN ('idle', 'processing') OR processing_status IS NULL)
     ORDER BY chain_id, sweep_seq  -- chain_id, so that the index gives the order
     LIMIT {rows}
       FOR NO KEY UPDATE SKIP LOCKED
), known AS MATERIALIZED (
    SELECT DISTINCT ON (p.id) p.id, a.chain_id
      FROM pick p
      LEFT JOIN balance_sync_assets a ON a.asset_on_chain_id = p.asset_on_chain_id
     ORDER BY p.id, a.chain_id
)
UPDATE wallet_balances w
   SET chain_id          = k.chain_id,
       processing_status = CASE WHEN k.chain_id IS NULL THEN 'idle' ELSE w.processing_status END,
       locked_until      = CASE WHEN k.chain_id IS NOT NULL THEN w.locked_until END,
       locked_by         = CASE WHEN k.chain_id IS NOT NULL THEN w.locked_by END,
       due_at            = CASE WHEN k.chain_id IS NULL THEN now() + balance_sync_backoff(w.error_count) ELSE w.due_at END,
       error_count       = CASE WHEN k.chain_id IS NULL THEN least(coalesce(w.error_count, 0), 32766) + 1 ELSE w.error_count END,
       last_error        = CASE WHEN k.chain_id IS NULL THEN 'no_target' ELSE w.last_error END,
       last_error_at     = CASE WHEN k.chain_id IS NULL THEN now() ELSE w.last_error_at END
  FROM known k
 WHERE w.id = k.id
RETURNING w.sweep_seq, w.chain_id IS NOT NULL;
