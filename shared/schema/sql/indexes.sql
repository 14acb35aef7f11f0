-- The indexes of wallet_balances: name, whether valid, whether unique for every row, key columns, every column that it names.
-- The catalog has the columns of keys and INCLUDE in indkey, those of expressions and predicates only as dependencies. All of them
-- decide whether an update is HOT, but those of an index that only summarizes (BRIN) from Postgres 16 on.
-- $1 schema
SELECT x.relname::text,
       i.indisvalid,
       i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AS everywhere,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
              WHERE a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
              ORDER BY a.attnum) AS keys,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
              WHERE a.attrelid = i.indrelid AND a.attnum > 0
                AND NOT (m.amname = 'brin' AND current_setting('server_version_num')::int >= 160000)
                AND (a.attnum = ANY (i.indkey::int2[])
                     OR EXISTS (SELECT FROM pg_depend d
                                 WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
                                   AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum))
              ORDER BY a.attnum) AS named
  FROM pg_index i
  JOIN pg_class t ON t.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = t.relnamespace
  JOIN pg_class x ON x.oid = i.indexrelid
  JOIN pg_am m ON m.oid = x.relam
 WHERE n.nspname = $1 AND t.relname = 'wallet_balances'
 ORDER BY x.relname;
