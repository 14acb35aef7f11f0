-- Leases due rows of one chain. Every row that is picked is settled in this one statement and comes back with its verdict, leased or
-- not, so that a row which cannot be leased neither holds up those behind it nor comes back before its time:
--   leased             ours until now() + $3
--   lease_expired      row error: twice in a row nobody answered for it; it backs off
--   no_target          row error: no asset, no decimals or no address to read
--   ambiguous_address  row error: more than one to read
--   inactive           its address is switched off; looked at again in five minutes, without an error
--   moved              its asset is on another chain now; rehome.sql is next
--   changed            a neighbour wrote to it between our snapshot and our lock; left alone, it comes round again
-- Nothing here waits for a lock. ctid is safe to join by: pick holds the row's lock, and a version that came after our snapshot is
-- not found, which is the verdict changed.
-- A line that ends in [sweep] or [fast] is for that lane only. {rows} is a literal, so that the planner knows it.
-- $1 the claim's name  $2 chain  $3 lease  $4 and $5 the window of the sweep: above the first, up to the second
WITH pick AS MATERIALIZED (
    SELECT ctid AS place, sweep_seq, wallet_id, asset_on_chain_id, priority,
           coalesce(processing_status = 'processing' AND locked_by LIKE 'balsync:%', false) AS lapsed,  -- a lease of ours that ended unanswered
           coalesce(last_error = 'lease_expired', false) AS lapsed_before
      FROM wallet_balances
     WHERE chain_id = $2
       AND sweep_seq > $4 AND sweep_seq <= $5  -- [sweep]
       AND priority > 0                        -- [fast]
       AND due_at <= now()
       AND (locked_until < now() OR locked_until IS NULL AND processing_status IS DISTINCT FROM 'processing')
       AND (processing_status IN ('idle', 'processing') OR processing_status IS NULL)  -- any other is a neighbour's at work
     ORDER BY sweep_seq                 -- [sweep]
     ORDER BY priority DESC, sweep_seq  -- [fast]
     LIMIT {rows}
       FOR NO KEY UPDATE SKIP LOCKED
), candidate AS MATERIALIZED (
    -- What there is to read, for each address. Sorted by place, since sweep_seq need not be unique in an adopted table.
    SELECT p.*, a.chain_id AS home, a.contract_address, a.decimals, a.is_native, d.address, coalesce(d.active, true) AS active,
           count(*) FILTER (WHERE coalesce(d.active, true)) OVER (PARTITION BY p.place) AS actives,
           row_number() OVER (PARTITION BY p.place ORDER BY coalesce(d.active, true) DESC, coalesce(a.chain_id = $2, false) DESC) AS choice
      FROM pick p
      LEFT JOIN balance_sync_assets a ON a.asset_on_chain_id = p.asset_on_chain_id
      LEFT JOIN balance_sync_addresses d ON d.wallet_id = p.wallet_id AND (d.chain_id IS NULL OR d.chain_id = a.chain_id)
), target AS MATERIALIZED (
    SELECT *,
           CASE WHEN home <> $2 THEN 'moved'
                WHEN home IS NULL OR decimals IS NULL OR address IS NULL THEN 'no_target'
                WHEN NOT active THEN 'inactive'
                WHEN actives > 1 THEN 'ambiguous_address'
                -- The first lapse is leased again at once: most often a process died. A row that was asked for now does not back off.
                WHEN lapsed AND lapsed_before AND priority < 2 THEN 'lease_expired'
                ELSE 'leased'
           END AS verdict
      FROM candidate
     WHERE choice = 1
), judged AS MATERIALIZED (
    SELECT *,
           verdict IN ('no_target', 'ambiguous_address', 'lease_expired') AS failed,
           verdict = 'leased' AND lapsed AS noted  -- leased, and the lapse counts as an error all the same
      FROM target
), settled AS (
    UPDATE wallet_balances w
       SET processing_status = CASE WHEN j.verdict = 'leased' THEN 'processing' ELSE 'idle' END,
           locked_until      = CASE WHEN j.verdict = 'leased' THEN now() + $3 END,
           locked_by         = CASE WHEN j.verdict = 'leased' THEN $1 END,
           priority          = CASE WHEN j.verdict IN ('moved', 'lease_expired') THEN w.priority ELSE 0 END,
           due_at            = CASE WHEN j.failed THEN now() + balance_sync_backoff(w.error_count)
                                    WHEN j.verdict = 'inactive' THEN now() + interval '5 min'
                                    ELSE w.due_at END,
           -- It stops where a smallint does: one row that overflowed would fail the statement, and with it all its neighbours.
           error_count       = CASE WHEN j.failed OR j.noted THEN least(coalesce(w.error_count, 0), 32766) + 1 ELSE w.error_count END,
           last_error        = CASE WHEN j.failed THEN j.verdict WHEN j.noted THEN 'lease_expired' ELSE w.last_error END,
           last_error_at     = CASE WHEN j.failed OR j.noted THEN now() ELSE w.last_error_at END
      FROM judged j
     WHERE w.ctid = j.place
 RETURNING j.place, w.id, w.observed_epoch, w.observed_height
)
SELECT CASE WHEN s.id IS NULL THEN 'changed' ELSE j.verdict END AS verdict,
       j.lapsed, j.sweep_seq, s.id, j.wallet_id, left(j.address, 128)::text AS address,
       j.asset_on_chain_id, left(j.contract_address, 128)::text AS contract_address, j.decimals::integer AS decimals,
       coalesce(j.is_native, false) AS is_native, s.observed_epoch, s.observed_height
  FROM judged j
  LEFT JOIN settled s ON s.place = j.place
 ORDER BY j.sweep_seq;
