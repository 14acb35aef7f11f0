-- Opens every transaction of ours: finds our schema, puts it first on the path, and takes the migration lock if $4 asks for it.
-- One row: schema (null: the path names none that exists), whether the lock is ours.
-- pg_temp goes last, so that nothing temporary stands in front of the tables. All settings end with the transaction, as does the
-- lock: behind a transaction pooler the session is not ours. It is tried, never awaited: a session that waits in a statement holds a
-- snapshot, and an index that is built concurrently waits for those.
-- $1 key of the lock  $2 lock_timeout  $3 statement_timeout  $4 whether to lock
WITH path AS MATERIALIZED (
    SELECT name, place FROM unnest(current_schemas(false)) WITH ORDINALITY AS p (name, place) WHERE name NOT LIKE 'pg\_temp%'
), home AS MATERIALIZED (
    SELECT coalesce((SELECT p.name
                       FROM path p JOIN pg_namespace n ON n.nspname = p.name JOIN pg_class c ON c.relnamespace = n.oid
                      WHERE c.relname = 'wallet_balances' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
                      ORDER BY p.place LIMIT 1),
                    (SELECT p.name FROM path p ORDER BY p.place LIMIT 1)) AS name
), found AS MATERIALIZED (
    SELECT h.name::text AS name,
           concat_ws(', ', quote_ident(h.name),
                     (SELECT string_agg(quote_ident(p.name), ', ' ORDER BY p.place) FROM path p WHERE p.name <> h.name),
                     'pg_temp') AS search_path
      FROM home h
)
SELECT name,
       CASE WHEN $4::boolean THEN pg_try_advisory_xact_lock($1::bigint) ELSE true END AS held,
       set_config('search_path', search_path, true),
       set_config('lock_timeout', $2::text, true),
       set_config('statement_timeout', $3::text, true)
  FROM found;
