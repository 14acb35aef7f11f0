-- The columns of a relation, their types without modifiers and with them. $1 schema  $2 relation
SELECT c.relkind::text, a.attname::text, format_type(a.atttypid, NULL), format_type(a.atttypid, a.atttypmod)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attnum;
