-- 100,000 rows: 10,000 wallets with ten assets each, two of them on BSC. Of ten wallets nine are a user's: every other one with an address
-- for each chain, the others with one for all; some have an old one, which is not active. The tenth is the operator's.
-- What it inserts refers to what it has inserted: foreign keys need not be looked at.
SET session_replication_role = replica;
INSERT INTO chains (id, slug, title, enabled) VALUES
  ('00000000-0000-0000-0000-0000000000c1', 'BSC', 'BNB Smart Chain', true), ('00000000-0000-0000-0000-0000000000c2', 'Polygon', 'Polygon PoS', true);
INSERT INTO asset_on_chain (id, chain_id, ticker, token_address, token_decimals)
SELECT ('00000000-0000-0000-0000-0000000000a' || n)::uuid,
       ('00000000-0000-0000-0000-0000000000c' || CASE WHEN n < 2 THEN 1 ELSE 2 END)::uuid,
       'asset-' || n, CASE WHEN n NOT IN (0, 2) THEN '0x' || repeat(n::text, 40) END, CASE WHEN n IN (0, 2) THEN 18 ELSE 6 END
  FROM generate_series(0, 9) n;
INSERT INTO user_wallet_addresses (wallet_id, chain_id, address, is_active)
SELECT md5('wallet ' || n)::uuid, NULL::uuid, '0x' || lpad(to_hex(n), 40, '0'), true FROM generate_series(1, 10000) n WHERE n % 10 <> 0 AND n % 2 = 1
UNION ALL
SELECT md5('wallet ' || n)::uuid, c.id, '0x' || CASE c.slug WHEN 'BSC' THEN 'b' ELSE 'c' END || lpad(to_hex(n), 39, '0'), true
  FROM generate_series(1, 10000) n, chains c WHERE n % 10 <> 0 AND n % 2 = 0
UNION ALL
SELECT md5('wallet ' || n)::uuid, NULL, '0x' || lpad(to_hex(n), 40, 'd'), false FROM generate_series(1, 10000, 7) n;
INSERT INTO operation_wallet_addresses (wallet_id, address, is_active)
SELECT md5('wallet ' || n)::uuid, '0x' || lpad(to_hex(n), 40, '0'), CASE WHEN n % 20 = 0 THEN true END FROM generate_series(10, 10000, 10) n;
INSERT INTO wallet_balances (id, wallet_id, asset_on_chain_id, on_chain_balance_raw, on_chain_balance_human, last_checked, sync_count,
                             processing_status, locked_by, locked_until)
SELECT md5('row ' || n || ' ' || a)::uuid, md5('wallet ' || n)::uuid, ('00000000-0000-0000-0000-0000000000a' || a)::uuid,
       CASE WHEN n % 3 > 0 THEN '7' END, CASE WHEN n % 3 > 0 THEN 0.000007 END, CASE WHEN n % 3 > 0 THEN now() - interval '1 h' END, n % 5,
       -- Neighbours at work, a loop that died, a status that was never set, and a lock without an end.
       CASE WHEN n % 100 = 1 THEN 'consolidating' WHEN n % 100 = 2 THEN 'withdrawing' WHEN n % 100 = 3 OR n % 1000 = 5 THEN 'processing'
            WHEN n % 100 = 4 THEN NULL ELSE 'idle' END,
       CASE WHEN n % 100 = 1 THEN 'sleeper' WHEN n % 100 = 3 THEN 'loop-1' WHEN n % 1000 = 5 THEN 'loop-2' END,
       CASE WHEN n % 100 = 1 THEN now() - interval '1 h' WHEN n % 100 = 3 THEN now() - interval '1 d' END
  FROM generate_series(1, 10000) n, generate_series(0, 9) a;
RESET session_replication_role;
