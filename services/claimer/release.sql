-- Gives back rows whose claim could not be published, if they are still that claim's. They are due as before. A row that a neighbour
-- has locked is not waited for: its lease lapses. $1 the claim's name  $2 ids  $3 the least priority: 0 sweep, 1 fast
WITH held AS MATERIALIZED (
    SELECT id
      FROM wallet_balances
     WHERE id = ANY ($2::uuid[])
       AND locked_by = $1
       AND processing_status = 'processing'
       FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE wallet_balances w
   SET processing_status = 'idle',
       locked_until      = NULL,
       locked_by         = NULL,
       priority          = greatest(w.priority, $3::smallint)
  FROM held h
 WHERE w.id = h.id;
