-- Writes what was read of the rows of one chain, frees their leases, and says what became of each. A row id occurs once in a call.
--
-- Two conditions, and neither implies the other:
--   newer  the value stands after the stored one, so it is written, whoever holds the row by now
--   held   the claim that this answers still holds the lease, so the lease, the errors, the counters and due_at are its to move
-- A late result thus brings its newer value and frees nothing; a result that comes twice finds nothing newer and nothing held.
-- A row that carries another worker's status is not touched at all, and one that another transaction has locked is not waited for:
-- without waiting there is no deadlock.
--
-- $1 chain  $2 interval  then one array element a row: $3 id  $4 claim  $5 epoch  $6 height  $7 observed_at  $8 raw  $9 human
-- $10 observed_by  $11 error  $12 kind  $13 wallet  $14 asset. Height 0 and empty texts stand for null.
-- Kinds: v value, w value with a warning (raw, no human), r row error, e endpoint error.
WITH result AS (
    SELECT place, id, claim, epoch, nullif(height, 0) AS height, observed_at, nullif(raw, '') AS raw, nullif(human, '')::numeric AS human,
           observed_by, error, kind, wallet_id, asset_on_chain_id
      FROM unnest($3::uuid[], $4::text[], $5::int[], $6::bigint[], $7::timestamptz[], $8::text[], $9::text[], $10::text[], $11::text[],
                  $12::text[], $13::uuid[], $14::uuid[]) WITH ORDINALITY
           AS t (id, claim, epoch, height, observed_at, raw, human, observed_by, error, kind, wallet_id, asset_on_chain_id, place)
), seen AS MATERIALIZED (   -- the rows under lock, as they are now, and how the result stands to them
    SELECT r.*, w.last_error AS had_error, w.last_error_at AS had_error_at,
           r.epoch < w.observed_epoch AS outdated,                                 -- asked for before the row's target or epoch changed
           w.processing_status IS NULL OR w.processing_status IN ('idle', 'processing') AS ours,
           coalesce(w.locked_by = r.claim AND w.processing_status = 'processing', false) AS held,
           coalesce(r.kind IN ('v', 'w')
               AND r.wallet_id = w.wallet_id AND r.asset_on_chain_id = w.asset_on_chain_id   -- a balance of something else never lands here
               -- Where all else is equal the larger amount wins, so that the order of arrival never decides. Canonical decimals
               -- compare by length, then by digits.
               AND (r.epoch, r.height, r.observed_at,
                    length(r.raw), r.raw COLLATE "C", coalesce(r.human, -1))
                 > (w.observed_epoch, coalesce(w.observed_height, -1), coalesce(w.observed_at, '-infinity'),
                    coalesce(length(w.on_chain_balance_raw), 0), coalesce(w.on_chain_balance_raw, '') COLLATE "C",
                    coalesce(w.on_chain_balance_human, -1)), false) AS newer
      FROM result r JOIN wallet_balances w ON w.id = r.id AND w.chain_id = $1
       FOR NO KEY UPDATE OF w SKIP LOCKED
), judged AS MATERIALIZED (
    -- cured: a good value ends the errors that came before it was read; one that is not newer still answers a lease_expired of its own claim.
    SELECT *, kind = 'v' AND CASE WHEN newer THEN held OR observed_at > coalesce(had_error_at, '-infinity')
                                  ELSE held AND had_error = 'lease_expired' END AS cured
      FROM seen
), written AS (
    UPDATE wallet_balances w SET
        on_chain_balance_raw   = CASE WHEN j.newer THEN j.raw         ELSE w.on_chain_balance_raw END,
        on_chain_balance_human = CASE WHEN j.newer THEN j.human       ELSE w.on_chain_balance_human END,
        observed_epoch         = CASE WHEN j.newer THEN j.epoch       ELSE w.observed_epoch END,
        observed_height        = CASE WHEN j.newer THEN j.height      ELSE w.observed_height END,
        observed_at            = CASE WHEN j.newer THEN j.observed_at ELSE w.observed_at END,
        observed_by            = CASE WHEN j.newer THEN j.observed_by ELSE w.observed_by END,
        -- least: a fetcher's clock that runs ahead must not date a check in the future.
        last_checked           = CASE WHEN j.newer THEN greatest(w.last_checked, least(j.observed_at, now())) ELSE w.last_checked END,
        last_processed_at      = CASE WHEN j.held AND j.newer THEN now() ELSE w.last_processed_at END,
        sync_count             = coalesce(w.sync_count, 0) + CASE WHEN j.held AND j.newer THEN 1 ELSE 0 END,
        -- It stops where a smallint does, or the row's own values would be refused for it.
        error_count            = CASE WHEN j.held AND j.kind IN ('r', 'w') THEN least(coalesce(w.error_count, 0), 32766) + 1
                                      WHEN j.cured THEN 0
                                      ELSE w.error_count END,
        last_error             = CASE WHEN j.held AND j.kind <> 'v' THEN j.error WHEN j.cured THEN NULL ELSE w.last_error END,
        last_error_at          = CASE WHEN j.held AND j.kind <> 'v' THEN least(j.observed_at, now())
                                      WHEN j.cured THEN NULL
                                      ELSE w.last_error_at END,
        -- priority > 0: the row was asked for during this lease, and stays due. outdated: due already, for its new target.
        due_at                 = CASE WHEN NOT j.held OR w.priority > 0 OR j.outdated THEN w.due_at
                                      WHEN j.kind = 'r' THEN now() + balance_sync_backoff(w.error_count)
                                      WHEN j.kind = 'e' THEN now() + least($2, interval '15 s') * (0.5 + random() / 2)
                                      ELSE now() + $2 END,
        processing_status      = CASE WHEN j.held THEN 'idle' ELSE w.processing_status END,
        locked_until           = CASE WHEN j.held THEN NULL ELSE w.locked_until END,
        locked_by              = CASE WHEN j.held THEN NULL ELSE w.locked_by END,
        updated_at             = now()
      FROM judged j
     WHERE w.id = j.id AND j.ours AND (j.held OR j.newer)
    RETURNING w.id
)
SELECT r.place,
       CASE WHEN j.id IS NULL THEN   -- not under our lock: somebody else's, or not there
                 CASE WHEN EXISTS (SELECT FROM wallet_balances w WHERE w.id = r.id AND w.chain_id = $1) THEN 'busy' ELSE 'unknown' END
            WHEN NOT j.ours THEN 'foreign'
            WHEN j.newer THEN CASE WHEN j.held THEN 'applied' ELSE 'late' END
            WHEN j.held THEN CASE WHEN j.kind IN ('v', 'w') THEN 'stale' ELSE 'failed' END
            ELSE 'superseded' END
  FROM result r LEFT JOIN judged j ON j.id = r.id;
