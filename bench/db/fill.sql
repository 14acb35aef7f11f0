-- $1 wallets, each with three rows on one of five chains, in the order of the wallets.
INSERT INTO chains (name) SELECT 'chain-' || n FROM generate_series(1, 5) n;
INSERT INTO asset_on_chain (chain_id, symbol, contract_address, decimals, is_native)
SELECT c.id, 'asset-' || n, CASE WHEN n > 1 THEN '0x' || repeat(n::text, 40) END, 18, n = 1 FROM chains c, generate_series(1, 3) n;
INSERT INTO wallets (id, address)
SELECT md5(n::text)::uuid, '0x' || substr(md5(n::text) || md5(n::text), 1, 40) FROM generate_series(1, $1) n;
INSERT INTO wallet_balances (wallet_id, asset_on_chain_id, priority)
SELECT md5(n::text)::uuid, a.id, 0
  FROM generate_series(1, $1) n
  JOIN chains c ON c.name = 'chain-' || (n % 5 + 1)
  JOIN asset_on_chain a ON a.chain_id = c.id
 ORDER BY n, a.symbol;
