-- The chains that the database knows, to be matched with the configuration's.
SELECT chain_id, coalesce(lower(name), '')::text AS name, coalesce(active, false) AS active
  FROM balance_sync_chains
 WHERE chain_id IS NOT NULL
 ORDER BY chain_id;
