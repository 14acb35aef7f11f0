-- The chain of the database that the configuration means. $1 id, or empty  $2 name
SELECT chain_id FROM balance_sync_chains WHERE CASE WHEN $1::text <> '' THEN chain_id = nullif($1::text, '')::uuid ELSE lower(name) = lower($2::text) END;
