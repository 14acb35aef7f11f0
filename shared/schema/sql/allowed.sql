-- What the current user may not do of all that its service does: "UPDATE wallet_balances.due_at". By attnum, so that a column that is not
-- there is passed by, and so that ctid is found: it has a row in pg_attribute and needs its own grant like any other column.
-- $1, $2, $3 relation, column and right, in parallel  $4 functions with their argument types
WITH refused AS (
    SELECT u.privilege || ' ' || u.relation || '.' || u.name AS what, u.place
      FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS u (relation, name, privilege, place)
      JOIN pg_attribute a ON a.attrelid = to_regclass(u.relation) AND a.attname = u.name AND NOT a.attisdropped
     WHERE NOT has_column_privilege(a.attrelid, a.attnum, u.privilege)
    UNION ALL
    SELECT 'EXECUTE ' || u.name, 10000 + u.place
      FROM unnest($4::text[]) WITH ORDINALITY AS u (name, place)
     WHERE to_regprocedure(u.name) IS NOT NULL AND NOT has_function_privilege(to_regprocedure(u.name), 'EXECUTE')
)
SELECT current_user::text, coalesce(array_agg(what ORDER BY place), '{}')::text[] FROM refused;
