-- What is missing for claims and applies, seen as they see it: along the search_path, through the catalog, which needs no grant.
-- One array, empty if nothing is. $1, $2 pairs of relation and column  $3 indexes of wallet_balances
WITH missing AS (
    SELECT CASE WHEN to_regclass(u.relation) IS NULL THEN u.relation ELSE u.relation || '.' || u.name END AS what, u.place
      FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS u (relation, name, place)
     WHERE NOT EXISTS (SELECT FROM pg_attribute a
                        WHERE a.attrelid = to_regclass(u.relation) AND a.attname = u.name AND NOT a.attisdropped)
    UNION ALL
    SELECT u.name, 10000 + u.place
      FROM unnest($3::text[]) WITH ORDINALITY AS u (name, place)
     WHERE NOT EXISTS (SELECT FROM pg_index i
                        WHERE i.indexrelid = to_regclass(u.name) AND i.indrelid = to_regclass('wallet_balances') AND i.indisvalid)
), once AS (
    SELECT what, min(place) AS place FROM missing GROUP BY what
)
SELECT coalesce(array_agg(what ORDER BY place), '{}')::text[] FROM once;
