-- Another reading of the same tables: where a wallet has an active address for one chain, that one goes before its address for all chains.
-- With views.sql such a row is ambiguous, and nobody guesses. An address for all chains becomes one row a chain, which is not active
-- where another goes before it. The joins are outside of the UNION ALL: inside they would keep a claim from looking up its wallets by
-- the indexes of the two tables.
CREATE OR REPLACE VIEW balance_sync_addresses AS
SELECT e.wallet_id, coalesce(e.chain_id, c.id) AS chain_id, e.address,
       e.active AND (c.id IS NULL
                     OR NOT EXISTS (SELECT FROM user_wallet_addresses u
                                     WHERE u.wallet_id = e.wallet_id AND u.chain_id = c.id AND coalesce(u.is_active, true))
                    AND NOT EXISTS (SELECT FROM operation_wallet_addresses o
                                     WHERE o.wallet_id = e.wallet_id AND o.chain_id = c.id AND coalesce(o.is_active, true))) AS active
  FROM (SELECT wallet_id, chain_id, address::text AS address, coalesce(is_active, true) AS active FROM user_wallet_addresses
        UNION ALL
        SELECT wallet_id, chain_id, address::text AS address, coalesce(is_active, true) AS active FROM operation_wallet_addresses) e
  LEFT JOIN chains c ON e.chain_id IS NULL;
